/**
 * Controllers that tell the leader of their data planes, over real sockets.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newToken, staticTokens, type Identify } from '../../controller/push/identity.ts'
import type { Push } from '../../controller/push/push.ts'
import { type Reporter, startReporter } from '../../controller/push/reporter.ts'
import { GATEWAY, SAMPLES, tableObject } from './samples.ts'
import { compiled, PlainWorkers, until, type World, wireTest } from './world.ts'
import type { TableObject } from '#wire/table'

const ROUTE = { kind: 'ApiRoute', name: 'shop/new', uid: 'u-new' }

function offer(push: Push, objects: readonly TableObject[], basis: string): void {
  const tables = new Map([[GATEWAY, compiled(objects)]])
  push.offer({ tables, basis: { ApiRoute: basis } })
}

function made(generation: number): TableObject {
  const value = { protocol: 'http', clusterAddress: null } as const
  return tableObject('backend', 'shop/new:80', value, [{ ...ROUTE, generation }])
}

interface Pair {
  readonly leader: Push
  readonly other: Push
  readonly reporter: Reporter
  /** Where the other believes that the leader is. */
  readonly where: { address: string | null }
  readonly changes: string[]
}

async function pairOf(world: World, token?: string): Promise<Pair> {
  const ours = newToken()
  const tokenFile = join(world.folder, 'replica-token')
  await writeFile(tokenFile, token ?? ours)
  const planes = staticTokens([{ file: world.tokenFile, gateway: GATEWAY }])
  const identify: Identify = async (shown) =>
    shown === ours ? { kind: 'replica', expiresAtMs: null } : planes(shown)
  const changes: string[] = []
  const leader = await world.push({ identify, onMembers: (gateway) => changes.push(gateway) })
  const other = await world.push({ identify, onMembers: () => reporter.changed() })
  const trust = await readFile(world.caFile, 'utf8')
  const where: Pair['where'] = { address: `127.0.0.1:${leader.port}` }
  const reporter = startReporter({
    name: 'other',
    leader: () => where.address,
    trust: () => trust,
    servername: 'localhost',
    tokenFile,
    own: other.own,
    log: world.log,
  })
  return { leader, other, reporter, where, changes }
}

function seen({ leader }: Pair): string {
  return leader
    .members(GATEWAY)
    .map(({ dataPlane, replica, version }) => `${dataPlane} by ${replica} at ${version}`)
    .join()
}

wireTest('what a controller knows of its data planes, the leader knows', async (world) => {
  const pair = await pairOf(world)
  const { leader, other, reporter, changes } = pair
  try {
    // The counts of the two differ from the start, and the leader's is of no use for the other's.
    for (const basis of ['1', '2', '3']) offer(leader, SAMPLES.slice(0, -Number(basis)), basis)
    offer(other, SAMPLES, '4')
    const plane = await world.sync([other], { name: 'plane' })
    await until('the leader knows it', () => seen(pair) === 'plane by other at 1', 10_000)
    assert.equal(leader.newest(GATEWAY, 'other'), 1)
    assert.equal(leader.since(GATEWAY, ROUTE.uid, 1, 'other'), null)

    const gate = Promise.withResolvers<void>()
    plane.workers.gate = gate.promise
    offer(other, [...SAMPLES, made(1)], '5')
    reporter.changed()
    await until('the table is told', () => leader.since(GATEWAY, ROUTE.uid, 1, 'other') === 2)
    assert.equal(seen(pair), 'plane by other at 1', 'and that it does not run yet')
    gate.resolve()
    await until('that it runs', () => seen(pair) === 'plane by other at 2')

    offer(other, [...SAMPLES, made(2)], '6')
    reporter.changed()
    await until('the next generation', () => leader.since(GATEWAY, ROUTE.uid, 2, 'other') === 3)
    assert.equal(leader.since(GATEWAY, ROUTE.uid, 1, 'other'), null)
    assert.ok(changes.length > 0)

    await plane.sync.close()
    await until('that it has gone', () => leader.members(GATEWAY).length === 0)
  } finally {
    reporter.close()
  }
})

wireTest('what a data plane rejects, the leader hears with its reason', async (world) => {
  const pair = await pairOf(world)
  const { leader, other, reporter } = pair
  try {
    offer(leader, SAMPLES, '1')
    offer(other, [...SAMPLES, made(1)], '1')
    const workers = new PlainWorkers()
    const sources = [{ ...ROUTE, generation: 1 }]
    workers.rejects = [{ kind: 'backend', key: 'shop/new:80', sources, reason: 'No such thing.' }]
    await world.sync([other], { name: 'plane', workers })
    await until('the rejection', () => leader.members(GATEWAY)[0]?.rejected.length === 1, 10_000)
    assert.equal(leader.members(GATEWAY)[0]?.rejected[0]?.reason, 'No such thing.')
  } finally {
    reporter.close()
  }
})

wireTest('a leader that is another one is told, and the old one forgets', async (world) => {
  const pair = await pairOf(world)
  const { leader, other, reporter, where } = pair
  try {
    offer(leader, SAMPLES, '1')
    offer(other, SAMPLES, '1')
    await world.sync([other], { name: 'plane' })
    await until('the leader knows it', () => leader.members(GATEWAY).length === 1, 10_000)
    where.address = null
    reporter.changed()
    await until('it forgets', () => leader.members(GATEWAY).length === 0)
    where.address = `127.0.0.1:${leader.port}`
    await until('it knows again', () => leader.members(GATEWAY).length === 1, 10_000)
  } finally {
    reporter.close()
  }
})

wireTest('a data plane cannot tell for a controller', async (world) => {
  const token = await readFile(world.tokenFile, 'utf8')
  const pair = await pairOf(world, token)
  try {
    offer(pair.leader, SAMPLES, '1')
    offer(pair.other, SAMPLES, '1')
    await world.sync([pair.other], { name: 'plane' })
    const said = (): boolean =>
      world.log.lines.some(({ message }) => /it answered 401/.test(message))
    await until('it is refused', said, 10_000)
    assert.deepEqual(pair.leader.members(GATEWAY), [])
  } finally {
    pair.reporter.close()
  }
})
