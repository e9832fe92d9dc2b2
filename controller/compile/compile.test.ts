/**
 * The promises of compile as a whole, over generated worlds and edits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { check, checkObject } from '#wire/check'
import { xorOf } from '#wire/digest'
import { edit, edits, newWorld } from '../../test/fake/any-world.ts'
import { DEPS, shuffled, type World } from '../../test/fake/world.ts'
import { compile, createCompiler } from './compile.ts'
import type { Compiled } from './compiled.ts'
import type { Snapshot } from './snapshot.ts'

const RUNS = { numRuns: Number(process.env['FAIRLEAD_RUNS'] ?? 60) }

/** Comparable: secrets do not compare by value, their digests do. */
function plain(compiled: Compiled): object {
  const tables = [...compiled.tables].map(([gateway, table]) => {
    const objects = [...table.objects].map(([id, object]) => [
      id,
      object.kind === 'secret' ? object.digest : object,
    ])
    return [gateway, { hash: table.hash, objects: sorted(objects) }]
  })
  return {
    tables: sorted(tables),
    verdicts: sorted([...compiled.verdicts]),
    remembering: compiled.remembering,
    remembered: sorted([...compiled.remembered]),
  }
}

function sorted(entries: readonly unknown[][] | readonly (readonly unknown[])[]): object {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
}

/** Lists within status and memory are in an order that follows from the objects alone. */
test('a shuffled snapshot compiles to the same tables', () => {
  fc.assert(
    fc.property(edits(true, 40), fc.infiniteStream(fc.nat()), (changes, numbers) => {
      const world = newWorld()
      const compiler = createCompiler(DEPS)
      for (const change of changes) {
        edit(world, change)
        world.compile((it) => compiler.compile(it))
      }
      const snapshot = world.snapshot()
      const order = (size: number): readonly number[] => {
        const keys = Array.from({ length: size }, (_, i) => ({ i, at: numbers.next().value ?? 0 }))
        return keys.toSorted((a, b) => a.at - b.at).map(({ i }) => i)
      }
      assert.deepEqual(
        plain(compile(shuffled(snapshot, order), DEPS)),
        plain(compile(snapshot, DEPS)),
      )
    }),
    RUNS,
  )
})

test('a memoised compile says what a fresh one says', () => {
  fc.assert(
    fc.property(edits(true, 40), (changes) => {
      const world = newWorld()
      const compiler = createCompiler(DEPS)
      for (const change of changes) {
        edit(world, change)
        const snapshot = world.snapshot()
        const memoised = world.compile((it) => compiler.compile(it))
        assert.deepEqual(plain(memoised), plain(compile(snapshot, DEPS)))
      }
    }),
    RUNS,
  )
})

test('a table holds only what a data plane can execute, under a hash that fits', () => {
  fc.assert(
    fc.property(edits(true, 40), (changes) => {
      const world = newWorld()
      for (const change of changes) edit(world, change)
      for (const table of compile(world.snapshot(), DEPS).tables.values()) {
        assert.equal(check(table.objects), null)
        assert.equal(table.hash, xorOf([...table.objects.values()].map(({ digest }) => digest)))
        for (const object of table.objects.values()) {
          if (object.kind !== 'secret') assert.equal(checkObject(object), null)
        }
      }
    }),
    RUNS,
  )
})

test('what an edit does not touch keeps its identity', () => {
  const world = newWorld()
  const compiler = createCompiler(DEPS)
  const by = (snapshot: Snapshot): Compiled => compiler.compile(snapshot)
  const route = (name: string, status: number) =>
    ({
      kind: 'ApiRoute',
      metadata: { name, namespace: 'a' },
      spec: {
        hosts: [`${name}.example.com`],
        public: true,
        rules: [{ name: 'all', match: [{ path: '/**' }], respond: { status } }],
      },
    }) as const
  world.apply(route('r', 200), route('s', 200))
  const before = world.compile(by)
  world.compile(by)
  const same = world.compile(by)
  assert.equal(same.tables, before.tables)
  assert.equal(same.verdicts, before.verdicts)
  assert.equal(same.remembered, before.remembered)
  world.apply(route('r', 404))
  const after = world.compile(by)
  const [old, now] = [before, after].map(({ tables }) => tables.get('fairlead-system/default'))
  const changed = [...(now?.objects ?? [])].filter(
    ([id, object]) => old?.objects.get(id) !== object,
  )
  assert.deepEqual(
    changed.map(([id]) => id),
    ['rule a/r/all'],
  )
  const verdicts = [...after.verdicts].filter(([id, it]) => before.verdicts.get(id) !== it)
  assert.deepEqual(
    verdicts.map(([id]) => id),
    ['ApiRoute a/r'],
  )
})

test('a restart changes nothing, whatever was invalid', () => {
  fc.assert(
    fc.property(edits(true, 40), (changes) => {
      const world = newWorld()
      const compiler = createCompiler(DEPS)
      let last: Compiled | null = null
      for (const change of changes) {
        edit(world, change)
        last = world.compile((it) => compiler.compile(it))
      }
      if (last === null) return
      const again = compile(world.restart(last).snapshot(), DEPS)
      assert.deepEqual(plain(again), plain(compile(settled(world, last), DEPS)))
    }),
    RUNS,
  )
})

function settled(world: World, last: Compiled): Snapshot {
  return { ...world.snapshot(), remembered: last.remembered }
}
