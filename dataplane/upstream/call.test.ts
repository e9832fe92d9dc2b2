/**
 * Proves what a call does beyond one attempt, against real servers that fail as told.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Delivery } from '#wire/delivery'
import type { CallEvent } from './call.ts'
import { prepareDelivery } from './delivery.ts'
import {
  failureOf,
  HandBody,
  headOf,
  KEY,
  now,
  readAll,
  recorder,
  type Sent,
  send,
  upstreamOf,
} from './fake/outgoing.ts'
import { answerOf, type Recorded, type Recorder, type Script, until } from './fake/recorder.ts'
import type { UndiciUpstream } from './undici.ts'
import type { UpstreamRequest } from './upstream.ts'

const RETRY = {
  attempts: 3,
  causes: ['connect', 'reset', 'timeout'],
  statuses: [503],
  methods: ['GET', 'HEAD'],
  perTryMs: null,
  backoff: { baseMs: 0, maxMs: 0 },
  budgetPerMille: 200,
} as const satisfies Delivery['retry']
const HEALTH = {
  outliers: { errors: 5, ejectionMs: 1_000, ejectionMaxMs: 1_000, outMaxPerMille: 500 },
  panicPerMille: 500,
}
const UNAVAILABLE = answerOf('no', '').replace('200 OK', '503 Service Unavailable')

interface Under {
  readonly upstream: UndiciUpstream
  readonly servers: readonly Recorder[]
  readonly events: readonly CallEvent[]
  /** With this delivery. */
  readonly ask: (delivery: Delivery, some?: Partial<UpstreamRequest>) => Sent
  /** Of all servers. */
  readonly seen: () => number
}

async function under(t: TestContext, ...scripts: readonly Script[]): Promise<Under> {
  const servers: Recorder[] = []
  for (const script of scripts) servers.push(await recorder(t, script))
  const events: CallEvent[] = []
  const ports = servers.map(({ port }) => port)
  const upstream = upstreamOf(t, ports, events)
  return {
    upstream,
    servers,
    events,
    ask: (delivery, some) => send(upstream, { ...some, delivery: prepareDelivery(delivery) }),
    seen: () => servers.reduce((sum, { requests }) => sum + requests.length, 0),
  }
}

/** Fails so often, then answers. */
function failing(times: number, how: (request: Recorded) => string = () => UNAVAILABLE): Script {
  let failed = 0
  return {
    request(request, socket) {
      const bytes = failed++ < times ? how(request) : answerOf('ok')
      if (bytes === '') socket.end()
      else socket.write(bytes)
    },
  }
}

const SILENT: Script = { request: () => undefined }
const OK: Script = { request: (_, socket) => void socket.write(answerOf('ok')) }

test('a status that the rule names is tried again, its answer discarded', async (t) => {
  const { ask, seen, events } = await under(t, failing(2))
  const head = headOf(await ask({ retry: RETRY }).outcome)
  assert.equal(head.status, 200)
  assert.deepEqual([seen(), events], [3, ['retry', 'retry']])
})

test('the last answer is passed on when attempts are used up', async (t) => {
  const { ask, seen } = await under(t, failing(9))
  const head = headOf(await ask({ retry: RETRY }).outcome)
  assert.deepEqual([head.status, seen(), (await readAll(head)).text], [503, 3, 'no'])
})

test('a reset is tried again where the method is named, and nowhere else', async (t) => {
  for (const [method, made] of [
    ['GET', 2],
    ['POST', 1],
  ] as const) {
    const { ask, seen } = await under(
      t,
      failing(1, () => ''),
    )
    const outcome = await ask({ retry: RETRY }, { method }).outcome
    assert.equal(
      'kind' in outcome ? outcome.cause : outcome.status,
      made === 2 ? 200 : 'upstream-reset',
    )
    assert.equal(seen(), made)
  }
})

test('a body is sent again whole where the rule names its method', async (t) => {
  const { ask, servers } = await under(t, failing(1))
  const body = new HandBody()
  const { outcome } = ask({ retry: { ...RETRY, methods: ['PUT'] } }, { method: 'PUT', body })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.from('hello '))
  body.sink?.data(Buffer.from('world'))
  body.sink?.end()
  assert.equal(headOf(await outcome).status, 200)
  assert.deepEqual(
    servers[0]?.requests.map((request) => request.body),
    ['hello world', 'hello world'],
  )
})

test('of a body that comes while nobody tries, the next attempt sends all or nothing', async (t) => {
  let heads = 0
  const early: Script = {
    head: (_, socket) => void (heads++ === 0 && socket.write(UNAVAILABLE)),
    request: (_, socket) => void socket.write(answerOf('ok')),
  }
  const { ask, servers, events } = await under(t, early)
  const backoff = { baseMs: 50, maxMs: 50 }
  const body = new HandBody()
  const retry = { ...RETRY, methods: ['PUT'], backoff }
  const { outcome } = ask({ retry }, { method: 'PUT', body })
  await until('the first attempt has failed', () => heads === 1)
  // As much as the source is asked for, 20 KiB at a time.
  let flow = body.sink?.data(Buffer.alloc(20_480, 'a'))
  for (let sent = 1, resumes = 0; sent < 8; sent++) {
    if (flow === 'pause') await until('more is wanted', () => body.resumes > resumes)
    resumes = body.resumes
    flow = body.sink?.data(Buffer.alloc(20_480, 'a'))
  }
  body.sink?.end()
  const { status } = headOf(await outcome)
  const whole = servers[0]?.requests.filter(({ body: text }) => text.length === 8 * 20_480) ?? []
  assert.equal(status === 200 ? whole.length : 1, 1, 'an answer to a part')
  assert.ok(events.length <= 1)
})

test('a body that is too long to be kept is sent once', async (t) => {
  const { ask, seen } = await under(t, failing(1))
  const body = new HandBody()
  const { outcome } = ask({ retry: { ...RETRY, methods: ['PUT'] } }, { method: 'PUT', body })
  await until('the body is asked for', () => body.sink !== null)
  body.sink?.data(Buffer.alloc(65 * 1024))
  body.sink?.end()
  assert.deepEqual([headOf(await outcome).status, seen()], [503, 1])
})

test('an attempt that is silent for perTry is given up, and another is made', async (t) => {
  const { ask, seen, servers } = await under(t, SILENT, OK)
  const head = headOf(await ask({ retry: { ...RETRY, perTryMs: 30 } }).outcome)
  assert.deepEqual([head.status, seen()], [200, 2])
  await until('the silent one is given up', () => servers[0]?.sockets[0]?.destroyed === true)
})

test('firstByte ends an attempt with its own cause', async (t) => {
  const { ask } = await under(t, SILENT)
  const first = failureOf(await ask({ firstByteMs: 20 }).outcome)
  assert.equal(first.cause, 'upstream-timeout')
})

test('the deadline of the whole ends retries too', async (t) => {
  const { ask, seen } = await under(t, SILENT)
  const retry = { ...RETRY, attempts: 10, perTryMs: 40 }
  const outcome = await ask({ retry }, { deadlineMs: now() + 60 }).outcome
  assert.equal(failureOf(outcome).cause, 'upstream-timeout')
  // The budget alone would allow four.
  assert.ok(seen() <= 2, `${seen()} attempts`)
})

test('a hedge answers for a slow endpoint, which is given up', async (t) => {
  const { ask, servers, events } = await under(t, SILENT, OK)
  const head = headOf(await ask({ hedge: { afterMs: 20 } }).outcome)
  assert.deepEqual([head.status, events], [200, ['hedge']])
  await until('the slow one is given up', () => servers[0]?.sockets[0]?.destroyed === true)
})

test('unsafe requests are never hedged', async (t) => {
  const { ask, seen } = await under(t, SILENT, OK)
  const outcome = ask({ hedge: { afterMs: 10 }, firstByteMs: 80 }, { method: 'POST' }).outcome
  assert.equal(failureOf(await outcome).cause, 'upstream-timeout')
  assert.equal(seen(), 1)
})

test('an upgrade is never hedged', async (t) => {
  const { ask, seen } = await under(t, SILENT, OK)
  const delivery = { hedge: { afterMs: 10 }, firstByteMs: 80 }
  const { outcome } = ask(delivery, { upgrade: 'websocket' })
  assert.equal(failureOf(await outcome).cause, 'upstream-timeout')
  assert.equal(seen(), 1)
})

test('extra attempts of a backend stay within its budget, also when all fail together', async (t) => {
  let asked = 0
  const sockets: Socket[] = []
  const { ask, events, seen } = await under(t, {
    request(_, socket) {
      sockets.push(socket)
      if (++asked === 50) for (const each of sockets.splice(0)) each.write(UNAVAILABLE)
    },
  })
  const retry = { ...RETRY, attempts: 2, budgetPerMille: 100 }
  const all = Array.from({ length: 50 }, () => ask({ retry }).outcome)
  await until('most are refused', () => events.filter((e) => e === 'refused').length >= 44)
  await until('the others were made', () => seen() >= 53)
  assert.ok(seen() <= 56, `${seen() - 50} were made again`)
  for (const socket of sockets) socket.write(answerOf('ok'))
  await Promise.all(all)
})

test('what is under way is counted until it is over', async (t) => {
  const { upstream, ask } = await under(t, SILENT)
  const { counts } = upstream.options
  const sent = [ask({}), ask({})]
  await until('both are under way', () => counts.sum(0, 'attempts') === 2)
  assert.equal(counts.sum(1, 'attempts'), 2)
  for (const { call } of sent) call.abort()
  await Promise.all(sent.map(({ outcome }) => outcome))
  assert.deepEqual([counts.sum(0, 'attempts'), counts.sum(1, 'attempts')], [0, 0])
})

test('beyond the bound of its circuit a backend gets nothing more, and then again', async (t) => {
  const { upstream, ask, seen } = await under(t, SILENT, SILENT)
  const backend = { protocol: 'http', clusterAddress: null } as const
  upstream.backends(new Map([[KEY, { ...backend, circuit: { requests: 2 } }]]))
  const first = [ask({}), ask({ hedge: { afterMs: 1 } })]
  await until('both are under way', () => seen() === 2)
  const third = await ask({ retry: RETRY }).outcome
  assert.equal(failureOf(third).cause, 'circuit-open')
  assert.equal(seen(), 2)
  for (const { call } of first) call.abort()
  assert.equal(upstream.options.counts.sum(0, 'attempts'), 0)
  upstream.backends(new Map([[KEY, backend]]))
  const many = Array.from({ length: 5 }, () => ask({}))
  await until('all were sent', () => seen() === 7)
  for (const { call } of many) call.abort()
})

test('what endpoints answer is seen where somebody judges them, and who is out gets nothing', async (t) => {
  const { upstream, ask, servers } = await under(t, failing(99), OK)
  const { marks } = upstream.options
  await ask({}).outcome
  await ask({}).outcome
  assert.equal(marks.read(1, 'answers') + marks.read(2, 'answers'), 0)
  upstream.backends(new Map([[KEY, { protocol: 'http', clusterAddress: null, health: HEALTH }]]))
  for (let i = 0; i < 6; i++) await ask({}).outcome
  assert.deepEqual([marks.read(1, 'gatewayErrors'), marks.read(2, 'errors')], [3, 0])
  marks.put(1, 'out')
  const before = servers[0]?.requests.length
  for (let i = 0; i < 6; i++) assert.equal(headOf(await ask({}).outcome).status, 200)
  assert.equal(servers[0]?.requests.length, before)
  marks.put(2, 'out')
  await ask({}).outcome
  await ask({}).outcome
  assert.equal(servers[0]?.requests.length, (before ?? 0) + 1, 'all are out: each gets its turn')
})

test('a client that leaves ends all attempts', async (t) => {
  const { ask, servers } = await under(t, SILENT, SILENT)
  const { call, outcome } = ask({ hedge: { afterMs: 10 } })
  await until('both were asked', () => servers.every(({ requests }) => requests.length === 1))
  call.abort()
  assert.equal(failureOf(await outcome).cause, 'client-closed')
  await until('both are given up', () =>
    servers.every(({ sockets }) => sockets.every((socket) => socket.destroyed)),
  )
})

test('after the first byte of an answer nothing is tried again', async (t) => {
  const { ask, seen } = await under(t, {
    request: (_, socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
  })
  const { failure } = await readAll(headOf(await ask({ retry: RETRY }).outcome))
  assert.deepEqual([failure?.cause, seen()], ['upstream-reset', 1])
})
