/**
 * Bodies that do not say how long they are, through a real front to a real backend.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fakeRule } from '../../../test/fake/rule.ts'
import { raw } from '../../fake/plane.ts'
import { HOST, statusOf } from '../../front/fake/front.ts'
import { answerOf, type Script, until } from '../../upstream/fake/recorder.ts'
import { PROXY, type Proxied, startProxied } from '../../front/fake/proxied.ts'
import { proxy } from './proxy.ts'

const RULE = fakeRule({ totalTimeoutMs: 5_000, action: PROXY, bodyBytesMax: 10 })
const HEAD = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`

function through(t: TestContext, script: Script): Promise<Proxied> {
  return startProxied(t, script, (exchange, runtime) => proxy(PROXY, RULE, exchange, runtime))
}

test('a body that grows too large is a 413, and its upstream is aborted', async (t) => {
  const { port, server, records, bugs } = await through(t, {})
  const client = raw(t, port, `${HEAD}8\r\n12345678\r\n`)
  await until('it has begun', () => server.requests.length === 1)
  client.socket.write('3\r\nabc\r\n')
  await until('answered', () => client.text.includes('x-fairlead-cause: body-too-large'))
  assert.equal(statusOf(client), '413')
  assert.match(client.text, /connection: close/i)
  await until('given up', () => server.sockets.every(({ destroyed }) => destroyed))
  assert.equal(server.requests[0]?.ended, 'no')
  assert.equal(records[0]?.cause, 'body-too-large')
  assert.deepEqual(bugs, [])
})

test('a body that just fits goes through', async (t) => {
  const { port, server } = await through(t, {
    request: (_, socket) => void socket.write(answerOf('done')),
  })
  const client = raw(t, port, `${HEAD}8\r\n12345678\r\n2\r\nab\r\n0\r\n\r\n`)
  await until('answered', () => client.text.endsWith('done'))
  assert.equal(server.requests[0]?.body, '12345678ab')
})

test('an answer that has begun ends in an abort, never as if it were whole', async (t) => {
  const { port, server, records } = await through(t, {
    head: (_, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart'),
  })
  const client = raw(t, port, `${HEAD}8\r\n12345678\r\n`)
  await until('it has begun', () => client.text.endsWith('part'))
  client.socket.write('3\r\nabc\r\n')
  await until('cut', () => client.socket.destroyed)
  await until('given up', () => server.sockets.every(({ destroyed }) => destroyed))
  assert.equal(records[0]?.complete, false)
})
