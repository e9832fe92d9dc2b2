/**
 * What happens when one end goes away and comes back: the other goes on, and takes up where it was.
 */
import assert from 'node:assert/strict'
import { chmod, readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Push } from '../../controller/push/push.ts'
import { GATEWAY, SAMPLES, SOURCE, tableObject } from './samples.ts'
import { PlainWorkers, compiled, reads, until, wireTest } from './world.ts'
import type { TableObject } from '#wire/table'

const BOOKS = 'shop/books:80'
const EXTRA = tableObject('backend', 'shop/new:80', { protocol: 'http', clusterAddress: null }, [
  SOURCE,
])

function offer(push: Push, objects: readonly TableObject[], basis: string, epoch = 0): string {
  const table = compiled(objects)
  const epochs = new Map([[GATEWAY, epoch]])
  push.offer({ tables: new Map([[GATEWAY, table]]), basis: { ApiRoute: basis }, epochs })
  return table.hash
}

wireTest('a controller that restarts with the same table causes no swap', async (world) => {
  const first = await world.push()
  const second = await world.push()
  const hash = offer(first, SAMPLES, '5')
  offer(second, SAMPLES, '6')
  const { sync, workers } = await world.sync([first, second])
  await sync.ready
  const [stays, goes] = first.members(GATEWAY).length === 1 ? [second, first] : [first, second]
  await goes.close()
  await until('another stream', () => stays.members(GATEWAY)[0]?.version === 1)
  assert.equal(workers.changes.length, 1)
  assert.equal(stays.members(GATEWAY)[0]?.hash, hash)
})

wireTest('a data plane that was away takes what changed meanwhile', async (world) => {
  const state = join(world.folder, 'state')
  const push = await world.push()
  push.endpoints(reads({ [BOOKS]: ['10.0.0.1'] }))
  offer(push, SAMPLES, '5')
  const before = await world.sync([push], { state })
  await before.sync.ready
  await before.sync.close()
  const hash = offer(push, [...SAMPLES, EXTRA], '6')
  const { sync, workers } = await world.sync([push], { state })
  assert.equal(sync.state().from, 'disk')
  await until('the newest table', () => sync.state().hash === hash)
  assert.deepEqual(
    workers.changes.map(({ from, puts }) => [from, puts.length]),
    [
      ['snapshot', SAMPLES.length],
      ['delta', 1],
    ],
  )
})

wireTest('with no controller the table from disk serves, and is ready', async (world) => {
  const state = join(world.folder, 'state')
  const push = await world.push()
  push.endpoints(reads({ [BOOKS]: ['10.0.0.1'] }))
  const hash = offer(push, SAMPLES, '5')
  const before = await world.sync([push], { state })
  await before.sync.ready
  await before.sync.close()
  await push.close()
  const { sync, workers } = await world.sync([push], { state })
  await sync.ready
  assert.deepEqual(
    { ...sync.state(), objects: null, endpoints: null, because: null },
    {
      readiness: 'ready',
      because: null,
      objects: null,
      endpoints: null,
      hash,
      reached: { epoch: '0', basis: { ApiRoute: '5' } },
      rejected: [],
      from: 'disk',
      stream: 'down',
      gateway: null,
    },
  )
  assert.equal(workers.sets.get(BOOKS)?.[0]?.address, '10.0.0.1')
})

wireTest('without a controller and without a table from disk it is not ready', async (world) => {
  const push = await world.push()
  const { sync } = await world.sync([push])
  await until('a failed attempt', () => sync.state().because.includes('no controller'))
  assert.equal(sync.state().readiness, 'waiting')
  const hash = offer(push, SAMPLES, '1')
  await sync.ready
  assert.equal(sync.state().hash, hash)
})

wireTest(
  'a data plane that starts from an old table is not ready before it runs the new one',
  async (world) => {
    const state = join(world.folder, 'state')
    const push = await world.push()
    offer(push, SAMPLES, '5')
    const before = await world.sync([push], { state })
    await before.sync.ready
    await before.sync.close()
    const hash = offer(push, [...SAMPLES, EXTRA], '6')
    const workers = new PlainWorkers()
    const started = world.sync([push], { state, workers })
    const { sync } = await started
    const gate = Promise.withResolvers<void>()
    workers.gate = gate.promise
    await until('hello', () => sync.state().stream === 'up')
    assert.equal(sync.state().readiness, 'waiting')
    assert.match(sync.state().because, /behind in ApiRoute/)
    gate.resolve()
    await sync.ready
    assert.equal(sync.state().hash, hash)
  },
)

wireTest(
  'a controller that is behind is left for another, and nothing is rolled back',
  async (world) => {
    const ahead = await world.push()
    const hash = offer(ahead, [...SAMPLES, EXTRA], '10')
    const { sync, workers } = await world.sync([ahead])
    await sync.ready
    const late = await world.push({ listen: { host: '127.0.0.1', port: await closed(ahead) } })
    offer(late, SAMPLES, '9')
    await until('it is refused', () =>
      world.log.lines.some(({ message }) => message.includes('behind in ApiRoute')),
    )
    assert.equal(sync.state().hash, hash)
    assert.equal(workers.changes.length, 1)
    assert.equal(sync.state().readiness, 'ready')
    const caughtUp = offer(late, SAMPLES, '11')
    await until('it has caught up', () => sync.state().hash === caughtUp)
  },
)

/** The port, for another to listen on. */
async function closed(push: Push): Promise<number> {
  await push.close()
  return push.port
}

wireTest(
  'after an epoch was raised an older basis is taken, and a lower epoch never',
  async (world) => {
    const before = await world.push()
    offer(before, [...SAMPLES, EXTRA], '1000')
    const { sync } = await world.sync([before])
    await sync.ready
    const restored = await world.push({ listen: { host: '127.0.0.1', port: await closed(before) } })
    const hash = offer(restored, SAMPLES, '7', 1)
    await until('the restored table', () => sync.state().hash === hash)
    assert.deepEqual(sync.state().reached, { epoch: '1', basis: { ApiRoute: '7' } })
    const old = await world.push({ listen: { host: '127.0.0.1', port: await closed(restored) } })
    offer(old, [...SAMPLES, EXTRA], '2000')
    await until('it is refused', () =>
      world.log.lines.some(({ message }) => message.includes('behind in epoch')),
    )
    assert.equal(sync.state().hash, hash)
  },
)

wireTest('the state folder is closed to others, and its files are', async (world) => {
  const state = join(world.folder, 'state')
  const push = await world.push()
  offer(push, SAMPLES, '5')
  const { sync } = await world.sync([push], { state })
  await sync.ready
  await sync.close()
  assert.equal((await stat(state)).mode & 0o777, 0o700)
  const files = (await readdir(state)).toSorted()
  assert.equal(files.length, 3)
  const secret = Buffer.from('pepper').toString('base64')
  for (const file of files) {
    assert.equal((await stat(join(state, file))).mode & 0o777, 0o600)
    const text = await readFile(join(state, file), 'utf8')
    assert.equal(text.includes(secret), file.startsWith('secrets-'), file)
  }
  await chmod(state, 0o755)
  await assert.rejects(world.sync([push], { state }), {
    message: `state folder ${state} can be read by others (mode 0755); run: chmod 700 ${state}`,
  })
})

wireTest('secrets can be kept apart, and without them the table is not used', async (world) => {
  const state = join(world.folder, 'state')
  const secretsState = join(world.folder, 'memory')
  const push = await world.push()
  offer(push, SAMPLES, '5')
  const before = await world.sync([push], { state, secretsState })
  await before.sync.ready
  await before.sync.close()
  await push.close()
  assert.deepEqual(
    (await readdir(state)).filter((file) => file.startsWith('secrets')),
    [],
  )
  const whole = await world.sync([push], { state, secretsState })
  assert.equal(whole.sync.state().from, 'disk')
  await whole.sync.close()
  const lost = await world.sync([push], { state, secretsState: join(world.folder, 'other') })
  assert.equal(lost.sync.state().from, 'nothing')
})
