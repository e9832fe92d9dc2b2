/**
 * Promises of aggregate-request.ts: what a backend sees of a call.
 */
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { Call } from '#wire/aggregate'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { action, ask, body, call, hole, json, rig } from './fake/aggregate-rig.ts'

interface Seen {
  readonly headers: IncomingMessage['rawHeaders']
  readonly text: string
}

/** The request of a call that is made for a request with these headers and identity. */
async function seen(
  t: TestContext,
  some: Partial<Call>,
  asked: { readonly headers?: readonly string[]; readonly identity?: readonly string[] } = {},
): Promise<Seen> {
  const found: Seen[] = []
  const made = await rig(t, (request, response) => {
    request.setEncoding('utf8')
    request.on('data', (text: string) => found.push({ headers: request.rawHeaders, text }))
    request.on('end', () => {
      if (found.length === 0) found.push({ headers: request.rawHeaders, text: '' })
      json(response, 200, '1')
    })
  })
  const { exchange, answer } = fakeExchange({ headers: asked.headers ?? [] })
  exchange.identityHeaders = asked.identity ?? null
  const one = call('a', { ...some, path: '/a' })
  const { status } = await ask(action([one], body({ a: 'calls.a.body' })), made, {
    exchange,
    answer,
  })
  assert.equal(status, 200)
  const [only] = found
  assert(only !== undefined)
  return only
}

function all({ headers }: Seen, name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name)
}

function set(name: string, value: string): Call['headers']['set'][number] {
  return { name, value: [value], onFailure: 'remove' }
}

test('a header that a call sets stands alone', async (t) => {
  const headers = { forward: [], set: [set('accept', 'text/csv'), set('content-type', 'a/b')] }
  const found = await seen(t, { method: 'POST', headers, body: hole('1') })
  assert.deepEqual([all(found, 'accept'), all(found, 'content-type')], [['text/csv'], ['a/b']])
})

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`

test('only what is named is sent: the trace, who calls, and nothing else of the client', async (t) => {
  const asked = {
    headers: ['Cookie', 'a=1', 'traceparent', TRACEPARENT, 'X-User', 'mine'],
    identity: ['x-user', 'ada'],
  }
  const plain = await seen(t, { headers: { forward: [], set: [] } }, asked)
  assert.deepEqual(
    [all(plain, 'cookie'), all(plain, 'traceparent'), all(plain, 'x-user')],
    [[], [], []],
  )
  const headers = { forward: ['identity', 'trace'] as const, set: [set('x-user', 'eve')] }
  const named = await seen(t, { headers }, asked)
  assert.deepEqual(
    [all(named, 'cookie'), all(named, 'traceparent'), all(named, 'x-user')],
    [[], [TRACEPARENT], ['ada']],
  )
})

test('a text is sent as text, everything else as JSON', async (t) => {
  const send = async (tree: Call['body']): Promise<unknown[]> => {
    const found = await seen(t, { method: 'POST', body: tree })
    return [found.text, ...all(found, 'content-type')]
  }
  const text = { kind: 'template', template: ['n is ', { expr: '1 + 1' }] } as const
  assert.deepEqual(await send(text), ['n is 2', 'text/plain; charset=utf-8'])
  assert.deepEqual(await send(hole('"a b"')), ['a b', 'text/plain; charset=utf-8'])
  assert.deepEqual(await send(hole('1 + 1')), ['2', 'application/json'])
  assert.deepEqual(await send(body({ a: '"b"' })), ['{"a":"b"}', 'application/json'])
})
