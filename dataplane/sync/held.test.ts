/**
 * Promises of held.ts, with random changes of small tables.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SAMPLES, tableObject } from '../../test/wire/samples.ts'
import { check } from '#wire/check'
import { xorOf } from '#wire/digest'
import { objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import { NOTHING_REACHED, createHeld, digestOf } from './held.ts'
import type { Held, Push } from './held.ts'

function ids(objects: readonly TableObject[]): Map<string, TableObject> {
  return new Map(objects.map((object) => [objectId(object.kind, object.key), object]))
}

function hashOf(objects: Iterable<TableObject>): string {
  return xorOf([...objects].map(({ digest }) => digest))
}

/** A held table that runs these. */
function holding(objects: readonly TableObject[]): Held {
  const held = createHeld()
  if (objects.length === 0) return held
  const planned = held.plan({
    from: 'snapshot',
    puts: ids(objects),
    drops: new Map(),
    hash: hashOf(objects),
  })
  assert.ok(planned.kind === 'change', JSON.stringify(planned))
  held.commit(planned.change, { reached: NOTHING_REACHED, rejected: [] })
  return held
}

/** The samples, a rule with fewer matches, a second gateway, a host that names nothing. */
const POOL: readonly TableObject[] = [
  ...SAMPLES,
  ...SAMPLES.flatMap((object) =>
    object.kind === 'rule'
      ? [
          tableObject('rule', object.key, {
            ...object.value,
            matches: object.value.matches.slice(0, 1),
          }),
        ]
      : [],
  ),
  tableObject('gateway', 'other/gateway', { trustedProxies: [], egressAllow: [], dataPlanes: 1 }),
  tableObject('host', '*', { namespace: 'shop', entries: [{ rule: 'a/b/c', match: 0 }] }),
  tableObject('host', '*.example.com', {
    namespace: 'shop',
    entries: [{ rule: 'shop/shop/full', match: 0 }],
  }),
]

interface Change {
  readonly from: 'snapshot' | 'delta'
  /** Places in POOL, and in SAMPLES. */
  readonly puts: readonly number[]
  readonly drops: readonly number[]
  readonly hash: 'right' | 'wrong'
}

const changes: fc.Arbitrary<Change> = fc.record({
  from: fc.constantFrom<Change['from'][]>('snapshot', 'delta'),
  puts: fc.subarray([...POOL.keys()], { maxLength: 4 }),
  drops: fc.subarray([...SAMPLES.keys()], { maxLength: 3 }),
  hash: fc.constantFrom<Change['hash'][]>('right', 'right', 'right', 'right', 'wrong'),
})

function pushOf(
  change: Change,
  running: ReadonlyMap<string, TableObject>,
): { push: Push; after: Map<string, TableObject> } {
  const chosen = change.puts.flatMap((i) => POOL[i] ?? [])
  const dropped = change.drops.flatMap((i) => SAMPLES[i] ?? [])
  const drops = new Map([...ids(dropped)].filter(([id]) => !ids(chosen).has(id)))
  const kept = [...running].filter(([id]) => !drops.has(id))
  const after = new Map([...kept, ...ids(chosen)])
  const puts = change.from === 'snapshot' ? after : ids(chosen)
  const right = hashOf(after.values())
  const hash = change.hash === 'right' ? right : right.replace(/^./, (c) => (c === '0' ? '1' : '0'))
  const named = change.from === 'snapshot' ? new Map<string, TableObject>() : drops
  return { push: { from: change.from, puts, drops: named, hash }, after }
}

test('a change is accepted exactly when the plain twin accepts its result', () => {
  let accepted = 0
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 5 }), (history) => {
      const held = holding(SAMPLES)
      for (const change of history) {
        const running = new Map(held.objects)
        const { push, after } = pushOf(change, running)
        const missing = [...push.drops.keys()].some((id) => !running.has(id))
        const twin = !missing && change.hash === 'right' && check(after) === null
        const planned = held.plan(push)
        assert.equal(planned.kind === 'change', twin, JSON.stringify(planned).slice(0, 200))
        assert.deepEqual(new Map(held.objects), running) // planning changes nothing
        if (planned.kind !== 'change') continue
        accepted += 1
        held.commit(planned.change, { reached: NOTHING_REACHED, rejected: [] })
        assert.deepEqual(new Map(held.objects), after)
        assert.equal(held.hash, hashOf(after.values()))
      }
    }),
    { numRuns: 500 },
  )
  assert.ok(accepted > 100, `only ${accepted} changes were accepted`)
})

test('a snapshot of what runs already changes nothing', () => {
  const held = holding(SAMPLES)
  const hash = hashOf(SAMPLES)
  const planned = held.plan({ from: 'snapshot', puts: ids(SAMPLES), drops: new Map(), hash })
  assert.deepEqual(planned, {
    kind: 'change',
    change: { from: 'delta', puts: [], drops: [], hash },
  })
})

test('a refusal says what does not fit', () => {
  const held = holding(SAMPLES)
  const drop = { kind: 'consumer', key: 'partners/acme' } as const
  const drops = new Map([['consumer partners/acme', drop]])
  const rest = SAMPLES.filter(({ kind }) => kind !== 'consumer')
  const push = { from: 'delta', puts: new Map(), drops, hash: hashOf(rest) } as const
  const planned = held.plan(push)
  assert.match(planned.kind === 'refused' ? planned.because : '', /names consumer "partners\/acme"/)
  const wrong = held.plan({ ...push, hash: hashOf(SAMPLES) })
  assert.match(wrong.kind === 'refused' ? wrong.because : '', /hash does not fit/)
})

test('a digest is that of the contract', () => {
  for (const object of SAMPLES) assert.equal(digestOf(object), object.digest)
})
