/**
 * Proves what plain HTTP gets.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import { tlsHosts, type TlsHost } from '../runtime/tls-hosts.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { transport } from './transport.ts'

function runtime(word: TlsHost['http'], httpsPort: number | null = null): Runtime {
  const fake = new FakeRuntime()
  const host: TlsHost = { set: 'one', http: word, certificates: [] }
  const tls = tlsHosts(new Map([['shop.example.com', host]]))
  const { upstream, limiter, sinks, beside } = fake
  const table = { ...fake.table, tls }
  return { upstream, limiter, sinks, beside, bug: () => {}, httpsPort, table }
}

function asked(some: Partial<Exchange>): Exchange {
  const { exchange } = fakeExchange({ host: 'shop.example.com', path: '/a', query: 'b=c', ...some })
  return exchange
}

test('a request over plain HTTP gets what its host says', () => {
  assert.equal(transport(asked({}), runtime('serve')).kind, 'continue')
  const refused = transport(asked({}), runtime('refuse'))
  assert.equal(
    refused.kind === 'fail' && `${refused.status} ${refused.cause}`,
    '403 https-required',
  )
  const sent = transport(asked({}), runtime('redirect'))
  assert.equal(sent.kind, 'respond')
  assert.deepEqual(sent.kind === 'respond' && [sent.status, sent.headers], [
    308,
    ['location', 'https://shop.example.com/a?b=c'],
  ])
  for (const word of ['refuse', 'redirect'] as const) {
    assert.equal(transport(asked({ scheme: 'https' }), runtime(word)).kind, 'continue')
    assert.equal(transport(asked({ host: 'other' }), runtime(word)).kind, 'continue')
  }
})

test('a redirect names the port of https where the client named one of its own', () => {
  for (const [host, httpsPort, shown] of [
    ['shop.example.com', 8443, ''],
    ['shop.example.com:80', 8443, ''],
    ['shop.example.com:8080', 8443, ':8443'],
    ['shop.example.com:8080', 443, ''],
    ['shop.example.com:8080', null, ''],
  ] as const) {
    const sent = transport(asked({ headers: ['host', host] }), runtime('redirect', httpsPort))
    assert.equal(
      sent.kind === 'respond' && sent.headers[1],
      `https://shop.example.com${shown}/a?b=c`,
    )
  }
})
