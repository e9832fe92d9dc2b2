/**
 * Who gets in, and what strangers see: nothing. Raw HTTP/2 clients against the controller's end, and
 * strange controllers against the data plane's.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createSecureServer } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createCertificates, trustOf } from '../../controller/push/certificate.ts'
import { newToken, staticTokens } from '../../controller/push/identity.ts'
import type { Push } from '../../controller/push/push.ts'
import { GATEWAY, SAMPLES, tableObject } from './samples.ts'
import { compiled, until, wireTest } from './world.ts'
import type { World } from './world.ts'

function offer(push: Push): void {
  push.offer({ tables: new Map([[GATEWAY, compiled(SAMPLES)]]), basis: { ApiRoute: '1' } })
}

interface Answer {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request, and all that came back. */
async function ask(
  world: World,
  port: number,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  const session = connect(`https://127.0.0.1:${port}`, { ca: await readFile(world.caFile) })
  session.on('error', () => undefined)
  const stream = session.request(
    { ':method': 'POST', ':path': '/v1/stream', ...headers },
    { endStream: false },
  )
  stream.on('error', () => undefined)
  const answered = once(stream, 'response')
  const ended = once(stream, 'end')
  let body = ''
  stream.on('data', (chunk: Buffer) => (body += String(chunk)))
  const [seen] = await answered
  await ended
  session.close()
  stream.end()
  return { headers: seen, body }
}

wireTest('a wrong, missing or foreign token gets 401 and nothing else', async (world) => {
  const push = await world.push()
  offer(push)
  const token = (await readFile(world.tokenFile, 'utf8')).trim()
  const good = { authorization: `Bearer ${token}` }
  const strangers: Readonly<Record<string, string>>[] = [
    {},
    { authorization: '' },
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${newToken()}` },
    { authorization: `Bearer ${token}x` },
    { authorization: `Basic ${token}` },
    { authorization: `Bearer ${'a'.repeat(20_000)}` },
    { ...good, ':method': 'GET' },
    { ...good, ':path': '/' },
    { ...good, ':path': '/v1/stream?x' },
  ]
  for (const headers of strangers) {
    const answer = await ask(world, push.port, headers)
    const names = Object.keys(answer.headers)
    assert.deepEqual(
      [answer.headers[':status'], answer.body, names],
      [401, '', [':status', 'date']],
    )
  }
  assert.deepEqual(push.members(GATEWAY), [])
})

wireTest('a token of another gateway gets the table of that gateway alone', async (world) => {
  const other = 'other/gateway'
  const push = await world.push({
    identify: staticTokens([{ file: world.tokenFile, gateway: other }]),
  })
  offer(push)
  const { sync } = await world.sync([push])
  await until('refused', () => world.log.lines.some(({ message }) => message.includes('503')))
  assert.equal(sync.state().hash, null)
  const gateway = tableObject('gateway', other, {
    trustedProxies: [],
    egressAllow: [],
    dataPlanes: 1,
  })
  const tables = new Map([
    [GATEWAY, compiled(SAMPLES)],
    [other, compiled([gateway])],
  ])
  push.offer({ tables, basis: { ApiRoute: '1' } })
  await sync.ready
  assert.deepEqual([...sync.state().objects.keys()], [`gateway ${other}`])
})

wireTest('before everything was read data planes are told to come back', async (world) => {
  const push = await world.push()
  const { sync } = await world.sync([push])
  await until('refused', () => world.log.lines.some(({ message }) => message.includes('503')))
  offer(push)
  await sync.ready
})

wireTest('a token that is renewed on disk is used for the next stream', async (world) => {
  const push = await world.push()
  offer(push)
  const token = await readFile(world.tokenFile, 'utf8')
  const tokenFile = `${world.tokenFile}-own`
  await writeFile(tokenFile, newToken())
  const { sync } = await world.sync([push], { tokenFile })
  await until('refused', () => world.log.lines.some(({ message }) => message.includes('401')))
  await writeFile(tokenFile, token)
  await sync.ready
})

wireTest('a stream ends with its token, and after its age', async (world) => {
  const static1 = staticTokens([{ file: world.tokenFile, gateway: GATEWAY }])
  const push = await world.push({
    identify: async (token) => {
      const known = await static1(token)
      return known.kind === 'known' ? { ...known, expiresAtMs: Date.now() + 50 } : known
    },
  })
  offer(push)
  const { sync } = await world.sync([push])
  await sync.ready
  const ended = () =>
    world.log.lines.filter(({ facts }) => JSON.stringify(facts).includes('time to connect anew'))
  await until('it ended, again and again', () => ended().length >= 2)
  assert.equal(sync.state().readiness, 'ready')

  const aging = await world.push({ timings: { ageMs: 30 } })
  offer(aging)
  const before = ended().length
  await world.sync([aging])
  await until('it grew old', () => ended().length > before + 2)
})

wireTest(
  'a data plane has one stream: a second one takes the place of the first',
  async (world) => {
    const push = await world.push()
    offer(push)
    const first = await world.sync([push], { name: 'same' })
    await first.sync.ready
    const second = await world.sync([push], { name: 'same' })
    await second.sync.ready
    await until('the first was ended', () =>
      world.log.lines.some(({ facts }) => JSON.stringify(facts).includes('opened another stream')),
    )
    assert.equal(push.members(GATEWAY).length, 1)
  },
)

wireTest('a gateway that is deleted ends its streams', async (world) => {
  const push = await world.push()
  offer(push)
  const { sync } = await world.sync([push])
  await sync.ready
  await until('a member', () => push.members(GATEWAY).length === 1)
  push.offer({ tables: new Map(), basis: { ApiRoute: '2' } })
  await until('no member', () => push.members(GATEWAY).length === 0)
  assert.equal(sync.state().readiness, 'ready')
  assert.notEqual(sync.state().hash, null)
})

wireTest('whoever connects and says nothing is let go', async (world) => {
  const push = await world.push({ timings: { helloWithinMs: 30 } })
  offer(push)
  const socket = connectTls({
    host: '127.0.0.1',
    port: push.port,
    ca: await readFile(world.caFile),
    ALPNProtocols: ['h2'],
  })
  socket.on('error', () => undefined)
  socket.resume()
  await once(socket, 'close')
  const token = (await readFile(world.tokenFile, 'utf8')).trim()
  const answer = await ask(world, push.port, { authorization: `Bearer ${token}` })
  assert.deepEqual([answer.headers[':status'], answer.body], [200, ''])
})

wireTest(
  'a controller that closes does not wait for whoever never began to speak',
  async (world) => {
    const push = await world.push()
    offer(push)
    const socket = connectTcp(push.port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    const { sync } = await world.sync([push])
    await sync.ready
    const started = performance.now()
    await push.close()
    assert.ok(performance.now() - started < 5_000)
  },
)

const RESUME =
  '{"type":"resume","version":1,"dataPlane":"raw","epoch":"0","basis":{},"hash":null}\n'

wireTest('frames that are none end the stream', async (world) => {
  const push = await world.push()
  offer(push)
  const token = (await readFile(world.tokenFile, 'utf8')).trim()
  const bad = [
    'nonsense\n',
    RESUME.replace('"basis":{}', '"basis":[]'),
    'x'.repeat(2 * 1024 * 1024),
    `${RESUME}${RESUME}`,
    `${RESUME}{"type":"ack","basis":{},"hash":"${'0'.repeat(64)}","rejected":[]}\n`,
  ]
  for (const text of bad) {
    const session = connect(`https://127.0.0.1:${push.port}`, { ca: await readFile(world.caFile) })
    session.on('error', () => undefined)
    const headers = { ':method': 'POST', ':path': '/v1/stream', authorization: `Bearer ${token}` }
    const stream = session.request(headers, { endStream: false })
    stream.on('error', () => undefined)
    stream.resume()
    stream.write(text)
    await once(stream, 'close')
    session.destroy()
  }
  await until('nobody is a member', () => push.members(GATEWAY).length === 0)
})

wireTest(
  'a data plane that stops reading is let go, and costs no memory until then',
  async (world) => {
    const push = await world.push({ timings: { drainWithinMs: 100 } })
    const many = Array.from({ length: 20_000 }, (_, i) =>
      tableObject('backend', `a/b-${i}:80`, { protocol: 'http', clusterAddress: null }),
    )
    const [gateway] = SAMPLES
    const objects = gateway === undefined ? many : [gateway, ...many]
    push.offer({ tables: new Map([[GATEWAY, compiled(objects)]]), basis: { ApiRoute: '1' } })
    const token = (await readFile(world.tokenFile, 'utf8')).trim()
    const session = connect(`https://127.0.0.1:${push.port}`, { ca: await readFile(world.caFile) })
    session.on('error', () => undefined)
    const headers = { ':method': 'POST', ':path': '/v1/stream', authorization: `Bearer ${token}` }
    const stream = session.request(headers, { endStream: false })
    stream.on('error', () => undefined)
    stream.write(RESUME)
    await once(stream, 'response')
    await until('a member', () => push.members(GATEWAY).length === 1)
    await until('let go', () => push.members(GATEWAY).length === 0)
    assert.ok(
      world.log.lines.some(({ facts }) => JSON.stringify(facts).includes('it does not read')),
      'the log says why',
    )
    session.destroy()
  },
)

/** A controller that does something strange once it was asked. */
async function strange(
  world: World,
  act: (stream: ServerHttp2Stream) => void,
): Promise<{ readonly port: number; readonly streams: () => number; close(): void }> {
  const certificates = await createCertificates(['127.0.0.1'], Date.now())
  await writeFile(world.caFile, trustOf(certificates))
  const server = createSecureServer({ ...certificates.server })
  let streams = 0
  server.on('stream', (stream: ServerHttp2Stream) => {
    streams += 1
    stream.on('error', () => undefined)
    stream.respond({ ':status': 200 })
    act(stream)
  })
  server.on('sessionError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { port, streams: () => streams, close: () => server.close() }
}

const HELLO = `{"type":"hello","version":1,"gateway":"${GATEWAY}","controller":"c","epoch":"0","basis":{}}\n`

wireTest('a controller that falls silent is left', async (world) => {
  const controller = await strange(world, (stream) => stream.write(HELLO))
  const { sync } = await world.sync([], {
    controllers: [`https://127.0.0.1:${controller.port}`],
    timings: { silenceMs: 30 },
  })
  await until('it was left and asked again', () => controller.streams() >= 3)
  await sync.close()
  controller.close()
  assert.ok(world.log.lines.some(({ message }) => message.includes('it fell silent')))
})

wireTest('a controller that sends no frames is left, and nothing of it is used', async (world) => {
  const hash = '0'.repeat(64)
  const bad = [
    'nonsense\n',
    `${HELLO}${HELLO}`,
    `{"type":"ping","hash":"${hash}","endpointsHash":"${hash}"}\n`,
    `${HELLO}{"type":"begin","from":{"kind":"delta","hash":"${hash}"}}\n`,
    `${HELLO}{"type":"drop","kind":"rule","key":"a/b/c"}\n`,
    `${HELLO}{"type":"endpoints","set":{"backend":"a/b:80","version":1,"endpoints":[]}}\n`,
    `${HELLO}{"type":"ping","hash":"${'1'.repeat(64)}","endpointsHash":"${hash}"}\n`,
    HELLO.replace('"version":1', '"version":2'),
  ]
  let sent = 0
  const controller = await strange(world, (stream) => stream.write(bad[sent++ % bad.length] ?? ''))
  const { sync } = await world.sync([], {
    controllers: [`https://127.0.0.1:${controller.port}`],
    timings: { silenceMs: 5_000 },
  })
  await until('each of them was left', () => controller.streams() > bad.length, 10_000)
  assert.equal(sync.state().hash, null)
  await sync.close()
  controller.close()
})

wireTest(
  'a controller whose certificate is not of the pinned authority is not spoken to',
  async (world) => {
    const push = await world.push()
    offer(push)
    const caFile = `${world.caFile}-foreign`
    await writeFile(caFile, trustOf(await createCertificates(['127.0.0.1'], Date.now())))
    const { sync } = await world.sync([push], { caFile })
    await until('refused', () => world.log.lines.some(({ message }) => /certificate/.test(message)))
    assert.equal(sync.state().hash, null)
    await writeFile(caFile, await readFile(world.caFile))
    await sync.ready
  },
)

wireTest('a renewed certificate is used for new streams, and the old ones go on', async (world) => {
  const push = await world.push()
  offer(push)
  const first = await world.sync([push])
  await first.sync.ready
  const renewed = await createCertificates(['127.0.0.1'], Date.now())
  push.replaceCertificate(renewed.server)
  const caFile = `${world.caFile}-renewed`
  await writeFile(caFile, trustOf(renewed))
  const second = await world.sync([push], { caFile })
  await second.sync.ready
  assert.equal(push.members(GATEWAY).length, 2)
  assert.equal(first.sync.state().stream, 'up')
})

wireTest(
  'a stream ends once its token is no longer good, and not while nobody can tell',
  async (world) => {
    const planes = staticTokens([{ file: world.tokenFile, gateway: GATEWAY }])
    const judge: { says: 'itself' | 'unavailable' } = { says: 'unavailable' }
    let looks = 0
    const identify: typeof planes = async (token) => {
      looks += 1
      if (looks > 1 && judge.says === 'unavailable') return { kind: 'unavailable', because: 'away' }
      return planes(token)
    }
    const push = await world.push({ identify, timings: { checkEveryMs: 10 } })
    offer(push)
    const { sync } = await world.sync([push])
    await sync.ready
    await until('several looks', () => looks > 5)
    const ended = (): number =>
      world.log.lines.filter(({ message }) => /its token is not what it was/.test(message)).length
    assert.equal(ended(), 0)
    await writeFile(world.tokenFile, newToken())
    judge.says = 'itself'
    await until('the stream has ended', () => ended() === 1)
    await until('it has come back with the new token', () => push.members(GATEWAY).length === 1)
  },
)
