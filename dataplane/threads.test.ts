/**
 * Proves the workers as a whole: real threads, real sockets, a real upstream.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BACKEND, fixed, get, PROXY, raw, ruleOf, snapshotOf, startThreads } from './fake/plane.ts'
import { load, tempt, UNRULY } from './fake/unruly.ts'
import { answerOf, startRecorder, until } from './upstream/fake/recorder.ts'

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
  await until('it is replaced', () => threads.facts.workersReady === 2, 20_000)
  await threads.swap(snapshotOf('3', [ruleOf('a', '/a', fixed('new'))]))
  for (let i = 0; i < 10; i++) assert.equal((await get(port, '/a')).body, 'new')
  assert.ok(log.said.some(({ message }) => message === 'a worker ended: it is replaced'))
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
        // A reset may come from one worker while another one still listens.
        (error: unknown) => /ECONNREFUSED/.test(String(error)),
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
