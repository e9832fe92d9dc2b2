/**
 * Both ends of the wire together: snapshots, deltas, the endpoints' lane, rejections, refusals.
 */
import assert from 'node:assert/strict'
import type { Push } from '../../controller/push/push.ts'
import type { CompiledTable } from '../../controller/compile/compiled.ts'
import type { TableObject } from '#wire/table'
import { GATEWAY, SAMPLES, SOURCE, tableObject } from './samples.ts'
import { compiled, reads, until, wireTest } from './world.ts'

const BOOKS = 'shop/books:80'

/** Offers the table, as the one that follows what was offered last. */
function offering(push: Push): (objects: readonly TableObject[], basis?: string) => CompiledTable {
  let last: CompiledTable | null = null
  return (objects, basis = '1') => {
    const table = compiled(objects, last)
    last = table
    push.offer({ tables: new Map([[GATEWAY, table]]), basis: { ApiRoute: basis } })
    return table
  }
}

function byId(a: TableObject, b: TableObject): number {
  return `${a.kind} ${a.key}` < `${b.kind} ${b.key}` ? -1 : 1
}

function backend(key: string): TableObject {
  return tableObject('backend', key, { protocol: 'http', clusterAddress: null })
}

const ACME = SAMPLES.find(({ kind }) => kind === 'consumer')

function renamed(displayName: string): TableObject {
  assert.ok(ACME?.kind === 'consumer')
  return tableObject('consumer', ACME.key, { ...ACME.value, displayName }, [SOURCE])
}

function withAcme(displayName: string): readonly TableObject[] {
  return SAMPLES.map((object) => (object === ACME ? renamed(displayName) : object))
}

wireTest('a data plane gets a snapshot with its endpoints, and acknowledges it', async (world) => {
  const push = await world.push()
  push.endpoints(reads({ [BOOKS]: ['10.0.0.1'] }))
  const table = offering(push)(SAMPLES, '7')
  const { sync, workers } = await world.sync([push])
  await sync.ready
  await until('acknowledged', () => push.members(GATEWAY)[0]?.version === 1)
  assert.equal(sync.state().hash, table.hash)
  assert.deepEqual([...workers.objects.values()].toSorted(byId), SAMPLES.toSorted(byId))
  assert.deepEqual(workers.sets.get(BOOKS), [{ address: '10.0.0.1', port: 8080, zone: null }])
  assert.deepEqual(push.members(GATEWAY)[0]?.basis, { ApiRoute: '7' })
  assert.equal(sync.state().gateway, GATEWAY)
})

wireTest('a change goes out as what changed, and nothing else', async (world) => {
  const push = await world.push()
  const offer = offering(push)
  offer(SAMPLES)
  const { sync, workers } = await world.sync([push])
  await sync.ready
  const table = offer([...withAcme('Acme Ltd'), backend('shop/new:80')], '2')
  await until('acknowledged', () => push.members(GATEWAY)[0]?.version === 2)
  offer(withAcme('Acme Ltd'), '3')
  await until('acknowledged again', () => push.members(GATEWAY)[0]?.version === 3)
  assert.deepEqual(workers.calls.slice(-3), [
    'endpoints shop/new:80 ',
    'swap delta 2 0',
    'swap delta 0 1',
  ])
  assert.notEqual(sync.state().hash, table.hash)
  assert.equal(push.since(GATEWAY, SOURCE.uid, SOURCE.generation), 1)
})

wireTest('a basis that moves without a change of the table is no push', async (world) => {
  const push = await world.push()
  const offer = offering(push)
  offer(SAMPLES)
  const { sync, workers } = await world.sync([push])
  await sync.ready
  for (let i = 2; i < 100; i += 1) offer(SAMPLES, String(i))
  offer(withAcme('B'), '100')
  await until('acknowledged', () => push.members(GATEWAY)[0]?.basis['ApiRoute'] === '100')
  assert.equal(workers.changes.length, 2)
})

wireTest(
  'endpoints have a lane of their own, and come before the commit that needs them',
  async (world) => {
    const push = await world.push()
    const offer = offering(push)
    push.endpoints(reads({ [BOOKS]: ['10.0.0.1'], 'shop/new:80': ['10.0.0.9'] }))
    offer(SAMPLES)
    const { sync, workers } = await world.sync([push])
    await sync.ready
    push.endpoints(reads({ [BOOKS]: ['10.0.0.1', '10.0.0.2'], 'shop/new:80': ['10.0.0.9'] }))
    await until('two endpoints', () => workers.sets.get(BOOKS)?.length === 2)
    push.endpoints(reads({ [BOOKS]: [], 'shop/new:80': ['10.0.0.9'] }))
    await until('no endpoint', () => workers.sets.get(BOOKS)?.length === 0)
    offer([...SAMPLES, backend('shop/new:80')])
    await until('the new backend', () => sync.state().objects.has('backend shop/new:80'))
    assert.deepEqual(workers.calls, [
      `endpoints ${BOOKS} 10.0.0.1`,
      `swap snapshot ${SAMPLES.length} 0`,
      `endpoints ${BOOKS} 10.0.0.1,10.0.0.2`,
      `endpoints ${BOOKS} `,
      'endpoints shop/new:80 10.0.0.9',
      'swap delta 1 0',
    ])
    offer(SAMPLES)
    await until('it is gone', () => !workers.sets.has('shop/new:80'))
    assert.deepEqual([...sync.state().endpoints.keys()], [BOOKS])
  },
)

wireTest('endpoints do not wait for a commit that is in flight', async (world) => {
  const push = await world.push()
  const offer = offering(push)
  push.endpoints(reads({ [BOOKS]: ['10.0.0.1'] }))
  offer(SAMPLES)
  const { sync, workers } = await world.sync([push])
  await sync.ready
  const gate = Promise.withResolvers<void>()
  workers.gate = gate.promise
  offer(withAcme('B'))
  push.endpoints(reads({ [BOOKS]: ['10.0.0.2'] }))
  gate.resolve()
  await until('the new endpoint', () => workers.sets.get(BOOKS)?.[0]?.address === '10.0.0.2')
})

wireTest('one commit is in flight: what changes meanwhile goes out together', async (world) => {
  const push = await world.push()
  const offer = offering(push)
  offer(SAMPLES)
  const { sync, workers } = await world.sync([push])
  await sync.ready
  const gate = Promise.withResolvers<void>()
  workers.gate = gate.promise
  offer(withAcme('first'))
  await until('in flight', () => push.newest(GATEWAY) === 2)
  for (let i = 0; i < 50; i += 1) offer(withAcme(`change ${i}`), String(i + 2))
  gate.resolve()
  await until('all of it', () => push.members(GATEWAY)[0]?.version === push.newest(GATEWAY))
  assert.ok(workers.changes.length <= 3, `${workers.changes.length} swaps`)
  const acme = sync.state().objects.get('consumer partners/acme')
  assert.equal(acme?.kind === 'consumer' && acme.value.displayName, 'change 49')
})

wireTest('what a data plane cannot execute is reported with its resource', async (world) => {
  const push = await world.push()
  const offer = offering(push)
  offer(SAMPLES)
  const plane = await world.sync([push])
  await plane.sync.ready
  const rejected = {
    kind: 'rule',
    key: 'shop/shop/full',
    sources: [SOURCE],
    reason: 'No.',
  } as const
  plane.workers.rejects = [rejected]
  offer(withAcme('B'))
  await until('rejected', () => push.members(GATEWAY)[0]?.rejected.length === 1)
  assert.deepEqual(push.members(GATEWAY)[0]?.rejected, [rejected])
  assert.deepEqual(plane.sync.state().rejected, [rejected])
  plane.workers.rejects = []
  offer(withAcme('C'))
  await until('healed', () => push.members(GATEWAY)[0]?.rejected.length === 0)
})

wireTest(
  'a table that cannot be swapped is refused, and the last good one goes on',
  async (world) => {
    const push = await world.push({ timings: { commitEveryMs: 1 } })
    const offer = offering(push)
    push.endpoints(reads({ [BOOKS]: ['10.0.0.1'] }))
    const good = offer(SAMPLES)
    const { sync, workers } = await world.sync([push])
    await sync.ready
    workers.bug = 'a bug'
    const next = [...withAcme('B'), backend('shop/new:80')]
    offer(next)
    await until('refused', () => push.members(GATEWAY)[0]?.refused !== null)
    assert.equal(sync.state().hash, good.hash)
    assert.equal(push.members(GATEWAY)[0]?.version, 1)
    assert.match(push.members(GATEWAY)[0]?.refused ?? '', /a worker failed/)
    workers.bug = null
    push.endpoints(reads({ [BOOKS]: ['10.0.0.2'] }))
    await until('endpoints go on', () => workers.sets.get(BOOKS)?.[0]?.address === '10.0.0.2')
    const healed = offer([...withAcme('C'), backend('shop/new:80')])
    await until('healed', () => sync.state().hash === healed.hash)
    assert.equal(sync.state().stream, 'up')
    await until('reported', () => push.members(GATEWAY)[0]?.refused === null)
  },
)

wireTest('pings keep a quiet stream, and both ends agree on what it has carried', async (world) => {
  const push = await world.push({ timings: { pingEveryMs: 5 } })
  const offer = offering(push)
  push.endpoints(reads({ [BOOKS]: ['10.0.0.1'], 'shop/new:80': ['10.0.0.3'] }))
  offer([...SAMPLES, backend('shop/new:80')])
  const { sync, workers } = await world.sync([push], { timings: { silenceMs: 1_000 } })
  await sync.ready
  push.endpoints(reads({ [BOOKS]: ['10.0.0.2'] }))
  offer(SAMPLES)
  workers.bug = 'a bug'
  offer([...SAMPLES, backend('shop/other:80')])
  workers.bug = null
  await until('all of it', () => workers.sets.get(BOOKS)?.[0]?.address === '10.0.0.2')
  const connected = push.members(GATEWAY)[0]?.connectedAtMs
  const until1 = performance.now() + 100
  await until('twenty pings', () => performance.now() > until1)
  assert.equal(push.members(GATEWAY)[0]?.connectedAtMs, connected)
  assert.equal(sync.state().stream, 'up')
})

wireTest('a large table comes whole through a narrow window', async (world) => {
  const push = await world.push()
  const many = Array.from({ length: 5_000 }, (_, i) =>
    tableObject('consumer', `a/c-${i}`, {
      namespace: 'a',
      name: `c-${i}`,
      displayName: 'x'.repeat(500),
      labels: {},
      state: 'Active',
      groups: [],
      externalIds: {},
      identities: [],
    }),
  )
  const table = offering(push)([...SAMPLES, ...many])
  const { sync } = await world.sync([push])
  await sync.ready
  assert.equal(sync.state().hash, table.hash)
  assert.equal(sync.state().objects.size, table.objects.size)
})
