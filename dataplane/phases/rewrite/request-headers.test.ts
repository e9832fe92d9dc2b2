/**
 * What of a client's headers reaches a backend, and what the gateway says in their place.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fakeExchange, headerList } from '../../../test/fake/exchange.ts'
import type { Exchange, Received } from '../../request/exchange.ts'
import { headerLines, headerValue } from '../../request/headers.ts'
import { clientHeaders, foldedName } from '../../runtime/client-headers.ts'
import { ExpressionFailure } from '../../runtime/expression-types.ts'
import type { PreparedHeader, PreparedHeaderEdits } from '../../runtime/runtime.ts'
import { requestHeaders } from './request-headers.ts'

const NAMES = clientHeaders(new Set(['x-user']))

function edits(removed: readonly string[], added: readonly PreparedHeader[]): PreparedHeaderEdits {
  return { removed, removedFolded: removed.map(foldedName), added }
}

function sent(
  received: Partial<Received>,
  change: Partial<Exchange> = {},
  edited: PreparedHeaderEdits | null = null,
): readonly string[] {
  const { exchange } = fakeExchange(received)
  Object.assign(exchange, change)
  const headers = requestHeaders(exchange, NAMES, edited)
  assert(!('kind' in headers))
  return headers
}

/** Without what is said of every request. */
function own(headers: readonly string[]): readonly string[] {
  const usual = /^(x-request-id|x-forwarded-for|x-forwarded-proto|x-forwarded-host|forwarded)$/
  return headers.filter((_, i) => !usual.test(headers[i - (i % 2)] ?? ''))
}

test("order, case and duplicates of a client's headers are kept", () => {
  const headers = ['Accept', 'a', 'X-One', '1', 'accept', 'b', 'Cookie', 'c=1; d=2']
  assert.deepEqual(own(sent({ headers })), headers)
})

test('a trace context passes as it came, and an invalid one not at all', () => {
  const valid = ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`]
  const state = ['Tracestate', 'a=1', 'tracestate', 'b=2']
  assert.deepEqual(own(sent({ headers: [...valid, ...state] })), [...valid, ...state])
  assert.deepEqual(own(sent({ headers: ['traceparent', 'x', ...state, 'x-a', '1'] })), ['x-a', '1'])
  assert.deepEqual(own(sent({ headers: [...valid, ...valid] })), [])
  assert.deepEqual(own(sent({ headers: ['connection', 'traceparent', ...valid, ...state] })), [])
})

test('a client cannot speak for the gateway', () => {
  const identity = ['x-user', 'alice', 'x-consumer-name', 'partners/acme']
  const spelling = (name: string): fc.Arbitrary<string> =>
    fc
      .tuple(
        ...Array.from(name, (c) =>
          c === '-' ? fc.constantFrom('-', '_', '.') : fc.constantFrom(c, c.toUpperCase()),
        ),
      )
      .map((characters) => characters.join(''))
  const names = fc.constantFrom(
    'x-user',
    'x-consumer-name',
    'x-consumer-groups',
    'x-fairlead-cause',
  )
  fc.assert(
    fc.property(names.chain(spelling), fc.boolean(), (name, known) => {
      const change = { identityHeaders: known ? identity : null }
      const headers = sent({ headers: [name, 'mallory', 'Connection', name] }, change)
      assert.deepEqual(own(headers), known ? identity : [])
    }),
  )
})

test('Connection removes what it lists, and never what the gateway sets', () => {
  const headers = headerList(`
    X-Hop: 1
    Connection: x-hop, X-User, x-request-id, X-Forwarded-For, x-set
    X-Keep: 2
    connection: close, Keep-Alive
    x-hop: 3
  `)
  const set = edits(['x-set'], [{ name: 'x-set', value: 'ours', onFailure: 'remove' }])
  const seen = sent({ headers }, { identityHeaders: ['x-user', 'alice'] }, set)
  assert.deepEqual(own(seen), ['X-Keep', '2', 'x-set', 'ours', 'x-user', 'alice'])
  assert.equal(headerValue(seen, 'x-request-id'), '01JZZZZZZZ0000000000000000')
  assert.equal(headerValue(seen, 'x-forwarded-for'), '192.0.2.7')
})

test('framing and hop-by-hop headers are never copied', () => {
  const headers = headerList(`
    Host: a.b
    Content-Length: 5
    Transfer-Encoding: chunked
    TE: trailers
    Upgrade: h2c
    Keep-Alive: x
    Proxy-Connection: x
    Expect: 100-continue
    Trailer: x
    Content_Length: 5
    content-type: text/plain
  `)
  assert.deepEqual(own(sent({ headers })), ['content-type', 'text/plain'])
})

test('what other proxies say passes only from a trusted one', () => {
  const headers = ['X-Forwarded-Port', '443', 'X_Forwarded_Port', '1', 'x-forwarded_for', '2']
  assert.deepEqual(own(sent({ headers })), [])
  assert.deepEqual(own(sent({ headers, peerTrust: 'trusted' })), ['X-Forwarded-Port', '443'])
  const said = ['X-Forwarded-For', '198.51.100.1', 'X_Forwarded_For', '6.6.6.6']
  const seen = sent({ headers: said, peerTrust: 'trusted' })
  assert.deepEqual(headerLines(seen, 'x-forwarded-for'), ['198.51.100.1, 192.0.2.7'])
})

test('a credential goes no further, wherever it stood', () => {
  const strip = { headers: ['authorization', 'x-api-key'], cookies: ['session'], queryParams: [] }
  const headers = headerList(`
    Authorization: Bearer x
    X-API-Key: k
    x-api-key: k2
    Cookie: a=1; session=s; b=2
    cookie: session=t
    COOKIE:  session = u ;c
  `)
  const kept = ['Cookie', 'a=1; b=2', 'COOKIE', 'c']
  assert.deepEqual(own(sent({ headers }, { strip })), kept)
  assert.deepEqual(own(sent({ headers }, { strip: null })), headers)
})

test('a set header takes the place of every spelling that the client may have sent', () => {
  const added: PreparedHeader[] = [
    { name: 'x-tenant', value: 'acme', onFailure: 'remove' },
    { name: 'x-tenant', value: 'second', onFailure: 'remove' },
  ]
  const headers = ['X_Tenant', 'evil', 'x.tenant', 'evil', 'X-TENANT', 'evil', 'Accept', '*/*']
  const seen = sent({ headers }, {}, edits(['x-tenant', 'accept'], added))
  assert.deepEqual(own(seen), ['x-tenant', 'acme', 'x-tenant', 'second'])
})

test('an edit cannot alter what a policy says about the caller', () => {
  const added: PreparedHeader[] = [{ name: 'X-User', value: 'edited', onFailure: 'remove' }]
  const seen = sent({}, { identityHeaders: ['x-user', 'alice'] }, edits(['x-user'], added))
  assert.deepEqual(headerLines(seen, 'x-user'), ['alice'])
})

test('a required header that cannot be computed refuses the request', () => {
  const failing = {
    render: () => new ExpressionFailure('no such claim'),
    value: () => new ExpressionFailure('no such claim'),
  }
  const { exchange } = fakeExchange({ headers: ['x-tenant', 'client'] })
  const required = edits(['x-tenant'], [{ name: 'x-tenant', value: failing, onFailure: 'refuse' }])
  const refused = requestHeaders(exchange, NAMES, required)
  assert('kind' in refused)
  assert.equal(refused.cause, 'header-missing')
  assert.equal(refused.status, 403)
  const optional = edits(['x-tenant'], [{ name: 'x-tenant', value: failing, onFailure: 'remove' }])
  const seen = requestHeaders(exchange, NAMES, optional)
  assert(!('kind' in seen))
  assert.equal(headerValue(seen, 'x-tenant'), null)
})
