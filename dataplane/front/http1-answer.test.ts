/**
 * Proves how answers are sent, paced and broken off, on real connections.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { get, raw } from '../fake/plane.ts'
import { fail } from '../request/failure.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Outcome } from '../request/outcome.ts'
import { until } from '../upstream/fake/recorder.ts'
import {
  type Answering,
  type FrontUnderTest,
  HandStream,
  HOST,
  ok,
  startFront,
  statusOf,
  streaming,
} from './fake/front.ts'

test('an answer is paced by its client, and its head does not wait for its body', async (t) => {
  const stream = new HandStream(null)
  const { port, records } = await startFront(t, () => streaming(stream))
  const client = raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until('the head is there', () => client.text.includes('\r\n\r\n'))
  client.socket.pause()
  const chunk = Buffer.alloc(256 * 1024, 'x')
  let given = 0
  while (given < 400 && stream.sink?.data(chunk) === 'more') {
    given++
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(given < 400, 'nobody was held up')
  assert.equal(stream.resumes, 0)
  client.socket.resume()
  await until('it goes on', () => stream.resumes === 1)
  stream.sink?.end(['X-Sum', '42'])
  await until('it ends', () => client.text.endsWith('0\r\nX-Sum: 42\r\n\r\n'))
  assert.equal(records.length, 1)
  assert.equal(records[0]?.complete, true)
})

test('a client that leaves is noticed, before and within its answer', async (t) => {
  const stream = new HandStream(null)
  const waits = Promise.withResolvers<Outcome>()
  const aborts: string[] = []
  const { port, records, exchanges, bugs } = await startFront(t, (exchange) => {
    if (exchange.path === '/stream') return streaming(stream)
    exchange.answer.onAbort(() => {
      aborts.push(exchange.path)
      waits.resolve(ok('nobody hears this'))
    })
    return waits.promise
  })
  const early = raw(t, port, `GET /early HTTP/1.1\r\n${HOST}\r\n`)
  await until('it is here', () => exchanges.length === 1)
  early.socket.destroy()
  await until('it is recorded', () => records.length === 1)
  assert.deepEqual(aborts, ['/early'])
  assert.equal(records[0]?.cause, 'client-closed')
  const late = raw(t, port, `GET /stream HTTP/1.1\r\n${HOST}\r\n`)
  await until('the head is there', () => late.text.includes('\r\n\r\n'))
  late.socket.destroy()
  await until('it is recorded', () => records.length === 2)
  assert.equal(stream.aborted, 'yes')
  assert.equal(records[1]?.complete, false)
  assert.deepEqual(bugs, [])
})

test('a client that takes nothing of its answer is given up, a slow one is not', async (t) => {
  const streams: HandStream[] = []
  const { port, records } = await startFront(t, ({ path }) => {
    if (path === '/whole') return ok('x'.repeat(8_000_000))
    const stream = new HandStream(null)
    streams.push(stream)
    return streaming(stream)
  })
  const silent = raw(t, port, `GET /stream HTTP/1.1\r\n${HOST}\r\n`)
  const slow = raw(t, port, `GET /whole HTTP/1.1\r\n${HOST}\r\n`)
  await until(
    'both have begun',
    () => slow.text !== '' && streams.some(({ sink }) => sink !== null),
  )
  silent.socket.pause()
  slow.socket.pause()
  streams[0]?.sink?.data(Buffer.alloc(32 * 1024 * 1024, 'x'))
  const takeSome = setInterval(() => {
    slow.socket.resume()
    setImmediate(() => slow.socket.pause())
  }, 50)
  t.after(() => clearInterval(takeSome))
  await until('the silent one is given up', () => streams[0]?.aborted === 'yes')
  assert.equal(records.find(({ path }) => path === '/stream')?.cause, 'client-closed')
  await until('the slow one has it all', () => slow.text.length > 8_000_000)
  assert.equal(slow.state, 'open')
})

test('an answer in pieces of one byte reaches a slow client whole', async (t) => {
  const stream = new HandStream(null)
  const { port } = await startFront(t, () => streaming(stream))
  const client = raw(t, port, `GET / HTTP/1.0\r\n${HOST}\r\n`)
  await until('it has begun', () => stream.sink !== null)
  client.socket.pause()
  stream.sink?.data(Buffer.alloc(8 * 1024 * 1024, 'x'))
  let expected = ''
  for (let i = 0; i < 20_000; i++) {
    const piece = String(i % 10)
    expected += piece
    stream.sink?.data(Buffer.from(piece))
    if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  client.socket.resume()
  await until('it goes on', () => stream.resumes > 0)
  stream.sink?.data(Buffer.from('!'))
  await until('nothing is kept back', () => client.text.endsWith('!'))
  stream.sink?.end(null)
  await until('it ends', () => client.state === 'closed')
  assert.ok(client.text.endsWith(`x${expected}!`))
})

test('an answer that breaks off is an abort for the client', async (t) => {
  const stream = new HandStream(10)
  const { port, records } = await startFront(t, () => streaming(stream, ['content-length', '10']))
  const client = raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until('it is asked for', () => stream.sink !== null)
  stream.sink?.data(Buffer.from('hello'))
  await until('some is there', () => client.text.endsWith('hello'))
  stream.sink?.fail(fail('upstream-reset', 'It broke off.'))
  await until('closed', () => client.state === 'closed')
  assert.equal(records.length, 1)
  assert.equal(records[0]?.complete, false)
})

test('HEAD, 204 and 304 have no body and keep the connection', async (t) => {
  const { port } = await startFront(t, ({ path }) => {
    const status = Number(path.slice(1))
    const body = { kind: 'bytes', bytes: Buffer.from('body') } as const
    return { kind: 'respond', status, headers: [], body, by: 'gateway' }
  })
  const client = raw(t, port, '')
  for (const [method, path] of [
    ['HEAD', '/200'],
    ['GET', '/204'],
    ['GET', '/304'],
    ['GET', '/200'],
  ]) {
    client.socket.write(`${method} ${path} HTTP/1.1\r\n${HOST}\r\n`)
  }
  await until('all are answered', () => client.text.endsWith('body'))
  assert.equal(client.text.match(/HTTP\/1\.1 /g)?.length, 4)
  assert.equal(client.text.match(/body/g)?.length, 1)
  assert.equal(/204[\s\S]*?\r\n\r\n/.exec(client.text)?.[0].includes('ontent-length'), false)
})

test('an interim answer reaches a client that knows them', async (t) => {
  const answering: Answering = (exchange: Exchange) => {
    exchange.answer.interim?.(103, ['link', '</a.css>; rel=preload'])
    return ok('done')
  }
  const { port } = await startFront(t, answering)
  const client = raw(t, port, `GET / HTTP/1.1\r\n${HOST}\r\n`)
  await until('answered', () => client.text.endsWith('done'))
  assert.match(
    client.text,
    /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200/,
  )
  const old = raw(t, port, `GET / HTTP/1.0\r\n${HOST}\r\n`)
  await until('answered', () => old.text.endsWith('done'))
  assert.match(old.text, /^HTTP\/1\.1 200/)
})

test('a phase that throws answers 500, and a sink that throws ends the connection', async (t) => {
  const under: FrontUnderTest = await startFront(t, (exchange) => {
    if (exchange.path === '/phase') throw new Error('a bug of a phase')
    return new Promise(() => {
      exchange.body.start({
        data() {
          throw new Error('a bug of a sink')
        },
        end: () => undefined,
        abort: () => undefined,
      })
    })
  })
  const { port, bugs } = under
  const phase = raw(t, port, `GET /phase HTTP/1.1\r\n${HOST}\r\n`)
  await until('answered', () => phase.text.includes('x-fairlead-cause: bug'))
  assert.equal(statusOf(phase), '500')
  assert.ok(!phase.text.includes('a bug of a phase'))
  const sink = raw(t, port, `POST /sink HTTP/1.1\r\n${HOST}Content-Length: 3\r\n\r\nabc`)
  await until('closed', () => sink.state === 'closed')
  assert.equal(bugs.length, 2)
  assert.equal((await get(port, '/phase')).status, 500)
})
