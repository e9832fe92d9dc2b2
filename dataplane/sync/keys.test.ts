/**
 * Proves keys.ts.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Egress } from '../egress.ts'
import { newKey } from '../phases/authenticate/fake/issuer.ts'
import { IssuerServer } from './fake/issuer-server.ts'
import { KeyFiles } from './keys-disk.ts'
import { KEY_TIMINGS, KeyKeeper, type KeyKeeperOptions, type KeyTimings } from './keys.ts'
import { type KeySet, keySetId, type KeySource } from './keys-message.ts'

const root = await mkdtemp(join(tmpdir(), 'fairlead-keeper-'))
after(() => rm(root, { recursive: true }))
const one = await newKey('ES256', 'one')
const two = await newKey('ES256', 'two')

const FAST: KeyTimings = {
  refreshMs: 40,
  backoffMinMs: 10,
  backoffMaxMs: 40,
  askEveryMs: 60,
  graceMs: 3_600_000,
  timeoutMs: 500,
}
const NEVER: KeyTimings = { ...FAST, refreshMs: 3_600_000 }

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (await holds()) return
    await pause(5)
  }
  assert.fail(`it never came: ${what}`)
}

interface World {
  readonly server: IssuerServer
  readonly source: KeySource
  readonly published: KeySet[]
  readonly log: string[]
  readonly clock: { nowMs: number }
  readonly keeper: (options?: Partial<KeyKeeperOptions>) => KeyKeeper
  /** Names of the keys that were published last. */
  readonly keys: () => string
}

async function world(t: TestContext): Promise<World> {
  const server = await IssuerServer.start()
  server.keys = [one.jwk]
  const published: KeySet[] = []
  const log: string[] = []
  const clock = { nowMs: 1_760_000_000_000 }
  const say = (facts: object, message: string): void => {
    log.push(`${message} ${JSON.stringify(facts)}`)
  }
  const keepers: KeyKeeper[] = []
  t.after(async () => {
    for (const keeper of keepers) keeper.close()
    await server.stop()
  })
  return {
    server,
    source: { kind: 'jwksUri', uri: `${server.url}/keys` },
    published,
    log,
    clock,
    keeper: (options = {}) => {
      const keeper = new KeyKeeper({
        egress: new Egress({ loopback: 'allow', ownPorts: () => [] }),
        folder: null,
        publish: (sets) => void published.push(...sets),
        log: { info: say, warn: say, error: say },
        timings: FAST,
        nowMs: () => clock.nowMs,
        ...options,
      })
      keepers.push(keeper)
      return keeper
    },
    keys: () =>
      published
        .at(-1)
        ?.keys?.map(({ kid }) => kid)
        .join() ?? 'none',
  }
}

test('keys are fetched without anybody asking, and published once as long as they are the same', async (t) => {
  const { server, source, published, keeper, keys } = await world(t)
  const keeping = keeper()
  await keeping.want([source], [])
  await until('the keys', () => published.length > 0)
  assert.equal(keys(), 'one')
  await until('some refreshes', () => server.asked.length >= 4)
  assert.equal(published.length, 1)
  assert.deepEqual(keeping.sets(), published)
})

test('new keys count after the next look, with another generation', async (t) => {
  const { server, source, published, keeper, keys } = await world(t)
  await keeper().want([source], [])
  await until('the keys', () => published.length === 1)
  server.keys = [one.jwk, two.jwk]
  await until('the new key', () => keys() === 'one,two')
  server.keys = [two.jwk]
  await until('the old key to go', () => keys() === 'two')
  assert.deepEqual(
    published.map(({ generation }) => generation),
    [1, 2, 3],
  )
})

test('an issuer that is away changes nothing until the grace is over', async (t) => {
  const { server, source, published, log, clock, keeper, keys } = await world(t)
  await keeper({ timings: { ...FAST, graceMs: 3_600_000 } }).want([source], [])
  await until('the keys', () => keys() === 'one')
  for (const mood of ['error', 'broken', 'hangUp', 'redirect'] as const) {
    server.mood = mood
    const before = server.asked.length
    await until(`some tries while it is ${mood}`, () => server.asked.length >= before + 2)
  }
  assert.equal(published.length, 1)
  clock.nowMs += 3_600_001
  await until('the end of the grace', () => published.at(-1)?.keys === null)
  assert.equal(published.at(-1)?.generation, 2)
  server.mood = 'well'
  await until('the keys again', () => keys() === 'one')
  assert.ok(log.some((line) => line.includes('an issuer is back')))
  assert.ok(log.every((line) => !line.includes('secret')))
})

test('after failures it waits longer and longer, never as long as for ever', async (t) => {
  const { server, source, keeper, log } = await world(t)
  server.mood = 'error'
  const started = performance.now()
  await keeper({ random: () => 0.999, timings: { ...FAST, backoffMaxMs: 80 } }).want([source], [])
  await until('five tries', () => server.asked.length >= 5)
  // 10 + 20 + 40 + 80 ms lie between five of them
  assert.ok(performance.now() - started >= 140)
  assert.ok(log.some((line) => /cannot be fetched .*status 500/.test(line)))
})

test('an unknown key causes one look, and then none for a while', async (t) => {
  const { server, source, published, keeper, keys } = await world(t)
  const keeping = keeper({ timings: { ...NEVER, askEveryMs: 400 } })
  await keeping.want([source], [])
  await until('the keys', () => published.length === 1)
  server.keys = [two.jwk]
  const id = keySetId(source)
  // many workers, many tokens
  for (let i = 0; i < 100; i++) keeping.unknownKey(id)
  const asked = performance.now()
  await until('the new key', () => keys() === 'two')
  assert.ok(performance.now() - asked > 200, 'it had looked just before')
  assert.equal(server.asked.length, 2)
  keeping.unknownKey('jwks https://nobody.example')
  await until('the next look', () => {
    keeping.unknownKey(id)
    return server.asked.length === 3
  })
  assert.ok(performance.now() - asked >= 600, 'it had looked less than 400 ms before')
})

test('keys go to the disk, and are there before the first answer of the next start', async (t) => {
  const { server, source, published, clock, keeper } = await world(t)
  const folder = join(root, 'restart')
  const id = keySetId(source)
  await keeper({ folder, timings: NEVER }).want([source], [])
  await until('the keys', () => published.length === 1)
  await until('the file', async () => (await new KeyFiles(folder).read(id)) !== null)
  server.mood = 'slow'
  const restarted = keeper({ folder, timings: NEVER })
  await restarted.want([source], [])
  assert.deepEqual(restarted.sets(), published.slice(0, 1))
  assert.deepEqual(published[1], published[0])
  clock.nowMs += NEVER.graceMs + 1
  const late = keeper({ folder, timings: NEVER })
  await late.want([source], [])
  assert.deepEqual(late.sets(), [{ id, generation: 0, keys: null }])
})

test('a disk that cannot be used is said, and nothing else', async (t) => {
  const { source, published, log, keeper } = await world(t)
  const file = join(root, 'a-file')
  await writeFile(file, '')
  await keeper({ folder: join(file, 'keys'), timings: NEVER }).want([source], [])
  await until('the keys', () => published.length === 1)
  await until('the word', () => log.some((line) => line.includes('cannot be kept on disk')))
})

test('a source that the table names no more is looked at no more', async (t) => {
  const { server, source, published, keeper } = await world(t)
  const other: KeySource = { kind: 'jwksUri', uri: `${server.url}/other` }
  const times = (path: string): number => server.asked.filter((asked) => asked === path).length
  const keeping = keeper()
  await keeping.want([source, other], [])
  await until('the keys', () => published.length === 2)
  await keeping.want([other], [])
  assert.deepEqual(
    keeping.sets().map(({ id }) => id),
    [keySetId(other)],
  )
  const [before, otherBefore] = [times('/keys'), times('/other')]
  await until('looks at the other', () => times('/other') >= otherBefore + 3)
  assert.ok(times('/keys') <= before + 1, 'but for one that was on its way')
  await keeping.want([source, other], [])
  await until('the keys again', () => published.length === 3)
})

test('what the operator allows is tried at once', async (t) => {
  const { server, published, log, keeper } = await world(t)
  const addresses = ['10.255.255.1']
  const egress = new Egress({
    loopback: 'allow',
    ownPorts: () => [],
    resolve: () => Promise.resolve(addresses),
  })
  const patient = { ...NEVER, backoffMinMs: 3_600_000, backoffMaxMs: 3_600_000 }
  const source: KeySource = { kind: 'jwksUri', uri: `http://id.example.com:${server.port}/keys` }
  const keeping = keeper({ egress, timings: patient })
  await keeping.want([source], [])
  await until('the refusal', () => log.some((line) => line.includes('egress.allow')))
  addresses[0] = '127.0.0.1'
  await keeping.want([source], [])
  assert.equal(published.length, 0)
  await keeping.want([source], ['id.example.com'])
  await until('the keys', () => published.length === 1)
})

test('many issuers are asked a few at a time', async (t) => {
  const { server, keeper, published } = await world(t)
  const sources = Array.from({ length: 40 }, (_, i): KeySource => {
    return { kind: 'jwksUri', uri: `${server.url}/keys/${i}` }
  })
  await keeper({ timings: NEVER }).want(sources, [])
  await until('all of them', () => published.length === 40)
  assert.equal(new Set(server.asked).size, 40)
})

test('a day of outage is survived, and a leaked key not honoured for longer', () => {
  assert.equal(KEY_TIMINGS.graceMs, 86_400_000)
  assert.equal(KEY_TIMINGS.askEveryMs, 30_000)
})
