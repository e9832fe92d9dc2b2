/**
 * What does not fit into a table, against a plain twin that follows the references of a whole one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { check } from '#wire/check'
import { edit, edits, newWorld } from '../../test/fake/any-world.ts'
import { Cluster, GATEWAY, named, route, rule } from '../../test/fake/cluster.ts'
import { bytesOf, type Objects, plainly, sum } from '../../test/fake/plain-capacity.ts'
import { DEFAULT_GATEWAY, DEPS, World } from '../../test/fake/world.ts'
import type { Room } from './assembly.ts'
import { compile, createCompiler } from './compile.ts'
import type { Compiled } from './compiled.ts'
import type { Snapshot } from './snapshot.ts'

const RUNS = { numRuns: Number(process.env['FAIRLEAD_RUNS'] ?? 60) }
const HUGE: Room = { objectBytes: 2 ** 40, tableBytes: 2 ** 40, tableObjects: 2 ** 40 }

const rooms = fc.record<Room>({
  objectBytes: fc.constantFrom(700, 1_000, 2 ** 40),
  tableBytes: fc.integer({ min: 1_000, max: 12_000 }),
  tableObjects: fc.integer({ min: 3, max: 40 }),
})

// ---- the promises ---------------------------------------------------------------------------

test('the hosts that fit are those of the plain twin', () => {
  fc.assert(
    fc.property(edits(false, 40), rooms, (changes, room) => {
      const world = newWorld()
      for (const change of changes) edit(world, change)
      const snapshot = world.snapshot()
      const whole = compile(snapshot, DEPS, HUGE).tables.get(GATEWAY)
      const table = compile(snapshot, DEPS, room).tables.get(GATEWAY)
      assert.ok(whole !== undefined && table !== undefined)
      const expected = plainly(whole, snapshot, room)
      assert.deepEqual([...table.objects.keys()].toSorted(), [...expected.keys()].toSorted())
      for (const [id, { digest }] of expected) assert.equal(table.objects.get(id)?.digest, digest)
    }),
    RUNS,
  )
})

/** Compiled after every edit of a world, by one compiler. */
function throughEdits(look: (compiled: Compiled, snapshot: Snapshot, room: Room) => void): void {
  fc.assert(
    fc.property(edits(true, 40), rooms, (changes, room) => {
      const world = newWorld()
      const compiler = createCompiler(DEPS, room)
      for (const change of changes) {
        edit(world, change)
        const snapshot = world.snapshot()
        look(
          world.compile((it) => compiler.compile(it)),
          snapshot,
          room,
        )
      }
    }),
    RUNS,
  )
}

test('no table and no object of it is larger than a data plane takes', () => {
  throughEdits(({ tables }, _, room) => {
    for (const table of tables.values()) {
      const objects: Objects = new Map(table.objects)
      assert.equal(check(objects), null)
      for (const one of objects.values()) assert.ok(bytesOf(one) <= room.objectBytes, one.key)
      // The gateway, the rule that closes and the host that takes everything: less there is not.
      const least = objects.size <= 3
      assert.ok(least || objects.size <= room.tableObjects)
      assert.ok(least || sum(objects) <= room.tableBytes)
    }
  })
})

test('a memo that has closed and opened hosts says what a fresh compile says', () => {
  throughEdits((memoised, snapshot, room) => {
    const fresh = compile(snapshot, DEPS, room)
    const hashes = ({ tables }: Compiled) => [...tables].map(([key, { hash }]) => key + hash)
    assert.deepEqual(hashes(memoised).toSorted(), hashes(fresh).toSorted())
    assert.deepEqual(new Map(memoised.verdicts), new Map(fresh.verdicts))
  })
})

// ---- one story ------------------------------------------------------------------------------

const OPEN = { public: true }
const many = (count: number) => Array.from({ length: count }, (_, i) => rule(`r${i}`))
const at = (host: string, more: object = {}) => ({ ...OPEN, hosts: [host], ...more })

function story(room: Partial<Room>): Cluster {
  return new Cluster(new World().apply(DEFAULT_GATEWAY), { ...HUGE, ...room })
}

function firstEntry(cluster: Cluster, host: string): string | undefined {
  return cluster.host(host)?.entries[0]?.rule
}

test('a host that is too long is closed and every other host goes on', () => {
  const cluster = story({ objectBytes: 1_000 }).apply(
    route('a/small', many(2), at('small.example.com')),
    route('a/big', many(3), at('big.example.com')),
  )
  assert.equal(firstEntry(cluster, 'big.example.com'), 'a/big/r0')
  cluster.apply(route('a/more', many(60), at('big.example.com')))
  assert.equal(firstEntry(cluster, 'big.example.com'), '*/*/too-large')
  assert.equal(firstEntry(cluster, 'small.example.com'), 'a/small/r0')
  for (const name of ['big', 'more']) {
    assert.match(
      cluster.accepted(`ApiRoute a/${name}`),
      /^TooLarge: spec\.hosts\[0\]: .*all routes/,
    )
    assert.equal(cluster.verdict(`ApiRoute a/${name}`).targets[0]?.programmed?.status, 'False')
  }
  assert.equal(cluster.accepted('ApiRoute a/small'), 'Accepted')
  assert.equal(cluster.verdict(`ApiGateway ${GATEWAY}`).problems[0]?.reason, 'TooLarge')
  assert.equal(cluster.rule('*/*/too-large').action.kind, 'reject')
  cluster.apply(route('a/small', many(4), at('small.example.com')))
  assert.equal(cluster.host('small.example.com')?.entries.length, 4, 'later changes go on')
  cluster.remove('ApiRoute', 'a', 'more')
  assert.equal(firstEntry(cluster, 'big.example.com'), 'a/big/r0')
  assert.equal(cluster.accepted('ApiRoute a/big'), 'Accepted')
  assert.deepEqual(cluster.verdict(`ApiGateway ${GATEWAY}`).problems, [])
})

test('a route that is served under other hosts too is accepted in part', () => {
  const cluster = story({ objectBytes: 1_000 }).apply(
    route('a/big', many(60), at('big.example.com')),
    route('a/both', many(1), { ...OPEN, hosts: ['ok.example.com', 'big.example.com'] }),
  )
  assert.match(cluster.accepted('ApiRoute a/both'), /^PartiallyAccepted: spec\.hosts\[1\]/)
  assert.equal(firstEntry(cluster, 'ok.example.com'), 'a/both/r0')
})

test('of a full table the newest hosts are closed, and what is older keeps running', () => {
  const hosts = ['one', 'two', 'three'].map((name) => `${name}.example.com`)
  const cluster = story({ tableObjects: 12 })
  for (const host of hosts) cluster.apply(route(`a/${host}`, many(3), at(host)))
  assert.deepEqual(
    hosts.map((host) => firstEntry(cluster, host)),
    ['a/one.example.com/r0', 'a/two.example.com/r0', '*/*/too-large'],
  )
  const said = cluster.accepted('ApiRoute a/three.example.com')
  assert.match(said, /^TooLarge: .*"default" is full .* older hosts/)
  assert.equal(cluster.accepted('ApiRoute a/two.example.com'), 'Accepted')
})

test('where not even closed hosts fit, nothing falls to a wildcard', () => {
  const cluster = story({ tableObjects: 8 }).apply(
    route('a/wild', many(1), at('*.example.com')),
    ...Array.from({ length: 9 }, (_, i) => route(`b/r${i}`, many(1), at(`h${i}.other.com`))),
  )
  const keys = [...(cluster.compiled.tables.get(GATEWAY)?.objects.values() ?? [])]
    .filter(({ kind }) => kind === 'host')
    .map(({ key }) => key)
  assert.deepEqual(keys.toSorted(), ['*', 'h0.other.com', 'h1.other.com'])
  assert.equal(firstEntry(cluster, '*'), '*/*/too-large')
  assert.match(cluster.accepted('ApiRoute a/wild'), /^TooLarge/)
  assert.match(cluster.accepted('ApiRoute b/r8'), /^TooLarge/)
})

test('policies without end close the hosts that they make too long, and no other', () => {
  const cluster = story({ objectBytes: 1_500 })
  const target = [{ kind: 'ApiRoute', name: 'a' }]
  cluster.apply(
    route('a/a', many(1), at('a.example.com')),
    route('b/b', many(1), at('b.example.com')),
    ...Array.from({ length: 100 }, (_, i) => ({
      kind: 'RateLimitPolicy' as const,
      metadata: named(`a/p${i}`),
      spec: { targetRefs: target, limits: { [`l${i}`]: { rate: '5/1s' } } },
    })),
  )
  assert.equal(firstEntry(cluster, 'a.example.com'), '*/*/too-large')
  assert.equal(firstEntry(cluster, 'b.example.com'), 'b/b/r0')
  assert.match(cluster.accepted('ApiRoute a/a'), /What rule "a\/a\/r0" becomes .*fewer policies/)
})

test('a host that is too long keeps what it says of TLS, and one without room has none', () => {
  const tls = { http: 'redirect' }
  const said = (cluster: Cluster): unknown => cluster.object('tls x.example.com')?.value
  const big = route('a/big', many(60), at('x.example.com', { tls }))
  assert.deepEqual(said(story({ objectBytes: 1_000 }).apply(big)), { certificates: [], ...tls })
  assert.deepEqual(said(story({ tableObjects: 20 }).apply(big)), {
    certificates: [],
    http: 'serve',
  })
})
