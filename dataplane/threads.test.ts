/**
 * Proves the workers as a whole: real threads, real sockets, a real upstream.
 */
import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test, type TestContext } from 'node:test'
import { BroadcastChannel } from 'node:worker_threads'
import {
  BACKEND,
  fixed,
  get,
  type Misdeed,
  PROXY,
  raw,
  ruleOf,
  snapshotOf,
  startThreads,
  UNRULY_CHANNEL,
} from './fake/plane.ts'
import { answerOf, startRecorder, until } from './upstream/fake/recorder.ts'

const UNRULY = new URL('./fake/unruly-worker.ts', import.meta.url)

function tempt(t: TestContext): (misdeed: Misdeed) => void {
  const channel = new BroadcastChannel(UNRULY_CHANNEL)
  t.after(() => channel.close())
  return (misdeed) => channel.postMessage(misdeed)
}

/** Asks again and again, on new and on kept connections, until it is told to stop. */
function load(t: TestContext, port: number, path: string): () => Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  const end = new AbortController()
  const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const running = Array.from({ length: 6 }, async (_, i) => {
    const agent = i % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent()
    while (!end.signal.aborted) note(await once(port, path, agent))
    agent.destroy()
  })
  t.after(() => end.abort())
  return async () => {
    end.abort()
    await Promise.all(running)
    return seen
  }
}

function once(port: number, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, agent }, (response) => {
      let body = ''
      response.setEncoding('latin1')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${body}`))
      response.on('error', (error) => resolve(error.message))
    })
    sent.on('error', (error) => resolve(error.message))
    sent.end()
  })
}

test('a request goes through to a backend, is logged and counted', async (t) => {
  const server = await startRecorder({ request: (_, socket) => socket.write(answerOf('hello')) })
  t.after(() => server.close())
  const { threads, port, metrics, lines } = await startThreads(t, 2)
  const endpoints = [{ address: '127.0.0.1', port: server.port, zone: null }]
  threads.endpoints([{ backend: BACKEND, version: 1, endpoints }])
  assert.deepEqual(await threads.swap(snapshotOf('a1', [ruleOf('books', '/books/**', PROXY)])), [])
  const got = await get(port, '/books/1?q=2', { headers: { host: 'shop.example.com' } })
  assert.equal(got.status, 200)
  assert.equal(got.body, 'hello')
  assert.equal(server.requests[0]?.target, '/books/1?q=2')
  await until('the line is there', () => lines.length === 1)
  const line = JSON.parse(lines[0] ?? '')
  assert.equal(line.status, 200)
  assert.equal(line.rule, 'shop/shop/books')
  const { text } = await metrics.render()
  const labels = 'route="shop/shop",rule="books",method="GET",class="2xx",cause=""'
  assert.ok(text.includes(`fairlead_requests_total{${labels},backend="${BACKEND}"} 1`), text)
  assert.match(text, /fairlead_requests_in_flight 0/)
})

test('a table is swapped under load without one wrong answer', async (t) => {
  const { threads, port } = await startThreads(t, 2)
  await threads.swap(snapshotOf('0', [ruleOf('a', '/a', fixed('0'))]))
  const stop = load(t, port, '/a')
  for (let i = 1; i <= 25; i++) {
    await threads.swap(snapshotOf(String(i), [ruleOf('a', '/a', fixed(String(i)))]))
    // Acknowledged: from now on nobody may see an older one.
    const answers = await Promise.all(Array.from({ length: 4 }, () => get(port, '/a')))
    for (const { body } of answers) assert.equal(body, String(i))
  }
  const seen = await stop()
  for (const what of seen.keys()) assert.match(what, /^200 \d+$/)
})

test('a change that one worker cannot prepare is in force nowhere', async (t) => {
  const { threads, port, log } = await startThreads(t, 2, { script: UNRULY })
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('old'))]))
  await assert.rejects(threads.swap({ ...snapshotOf('2', []), puts: JSON.parse('null') }))
  misbehave({ worker: 2, what: 'dieInPrepare' })
  // The channel and the port are two ways: the worker must have heard before it is asked.
  await get(port, '/a')
  await assert.rejects(async () => {
    for (let i = 0; i < 50; i++)
      await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('old'))]))
  }, /a worker ended/)
  for (let i = 0; i < 10; i++) assert.equal((await get(port, '/a')).body, 'old')
  await until('it is replaced', () => threads.facts.workersReady === 2)
  await threads.swap(snapshotOf('3', [ruleOf('a', '/a', fixed('new'))]))
  for (let i = 0; i < 10; i++) assert.equal((await get(port, '/a')).body, 'new')
  assert.ok(log.said.some(({ message }) => message === 'a worker ended: it is replaced'))
})

test('a worker that dies is replaced and brought to the current table', async (t) => {
  const { threads, port, metrics } = await startThreads(t, 2, { script: UNRULY })
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('one'))]))
  for (let i = 0; i < 4; i++) assert.equal((await get(port, '/a')).body, 'one')
  for (const what of ['exit', 'grow'] as const) {
    const [victim] = threads.threads
    const diedMs = performance.now()
    misbehave({ worker: victim?.id ?? 0, what })
    await until(`gone: ${what}`, () => victim?.state === 'gone', 30_000)
    const goneMs = performance.now()
    await until('replaced', () => threads.facts.workersReady === 2)
    const tookMs = performance.now() - (what === 'exit' ? diedMs : goneMs)
    assert.ok(tookMs < 2_000, `${tookMs} ms until it served again`)
    for (let i = 0; i < 8; i++) assert.equal((await get(port, '/a')).body, 'one')
  }
  const { text } = await metrics.render()
  assert.match(text, /fairlead_requests_total\{[^}]*rule="a"[^}]*\} 20\n/)
  assert.match(text, /fairlead_worker_restarts 2/)
})

test('a worker that has met a bug is replaced without refusing anybody', async (t) => {
  const { threads, port, log } = await startThreads(t, 1, { script: UNRULY })
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('one'))]))
  const stop = load(t, port, '/a')
  for (const what of ['throw', 'reject'] as const) {
    const [before] = threads.threads
    misbehave({ worker: before?.id ?? 0, what })
    await until('another one serves', () => threads.threads[0] !== before)
    await until('it is ready', () => threads.facts.workersReady === 1)
  }
  const seen = await stop()
  assert.deepEqual([...seen.keys()], ['200 one'])
  assert.ok(log.said.some(({ message }) => message === 'a worker met a bug: it is replaced'))
})

test('a worker that hangs is ended and replaced', async (t) => {
  const { threads, port } = await startThreads(t, 1, { script: UNRULY })
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('one'))]))
  const [victim] = threads.threads
  misbehave({ worker: victim?.id ?? 0, what: 'hang' })
  await until('it is ended', () => victim?.state === 'gone', 10_000)
  await until('replaced', () => threads.facts.workersReady === 1)
  assert.equal((await get(port, '/a')).body, 'one')
})

test('requests in flight end within the grace, and nothing new is accepted', async (t) => {
  const waiting: (() => void)[] = []
  const server = await startRecorder({
    request: (_, socket) => void waiting.push(() => socket.write(answerOf('late'))),
  })
  t.after(() => server.close())
  const { threads, port, lines } = await startThreads(t, 2)
  const endpoints = [{ address: '127.0.0.1', port: server.port, zone: null }]
  threads.endpoints([{ backend: BACKEND, version: 1, endpoints }])
  const rules = [ruleOf('a', '/a', PROXY), ruleOf('b', '/b', fixed('fast'))]
  await threads.swap(snapshotOf('1', rules))
  const slow = raw(t, port, 'GET /a HTTP/1.1\r\nhost: x\r\n\r\n')
  const idle = raw(t, port, '')
  await until('the request is at the backend', () => waiting.length === 1)
  await until('it is connected', () => !idle.socket.connecting)
  const closed = threads.close(4_000)
  await until(
    'nobody is accepted',
    () =>
      get(port, '/b').then(
        () => false,
        () => true,
      ),
    6_000,
  )
  waiting[0]?.()
  await until('the answer is there', () => slow.text.endsWith('late'))
  assert.match(slow.text, /connection: close/i)
  await closed
  assert.equal(slow.text.match(/HTTP\/1.1 200/g)?.length, 1)
  assert.equal(lines.filter((line) => line.includes('"/a"')).length, 1)
})
