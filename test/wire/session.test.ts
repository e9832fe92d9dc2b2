/**
 * Both ends of the wire together: snapshots, deltas, the endpoints' lane, rejections.
 */
import assert from 'node:assert/strict'
import { SAMPLES, GATEWAY } from './samples.ts'
import { compiled, reads, until, wireTest } from './world.ts'

const BOOKS = 'shop/books:80'

wireTest('a data plane gets a snapshot with its endpoints, and acknowledges it', async (world) => {
  const push = await world.push()
  push.endpoints(reads({ [BOOKS]: ['10.0.0.1'] }))
  const table = compiled(SAMPLES)
  push.offer({ tables: new Map([[GATEWAY, table]]), basis: { ApiRoute: '7' } })
  const { sync, workers } = await world.sync([push])
  await sync.ready
  await until('acknowledged', () => push.members(GATEWAY)[0]?.version === 1)
  assert.equal(sync.state().hash, table.hash)
  assert.deepEqual([...workers.objects.values()].toSorted(byId), SAMPLES.toSorted(byId))
  assert.deepEqual(workers.sets.get(BOOKS), [{ address: '10.0.0.1', port: 8080, zone: null }])
  assert.deepEqual(push.members(GATEWAY)[0]?.basis, { ApiRoute: '7' })
})

function byId(a: { kind: string; key: string }, b: { kind: string; key: string }): number {
  return `${a.kind} ${a.key}` < `${b.kind} ${b.key}` ? -1 : 1
}
