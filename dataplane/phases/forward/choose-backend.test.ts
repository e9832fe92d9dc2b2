/**
 * Proves the choice of a backend.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BackendTarget } from '#wire/value'
import { Http1Answer } from '../../front/http1-answer.ts'
import { EMPTY_BODY } from '../../front/http1-body.ts'
import { type Exchange, newExchange } from '../../request/exchange.ts'
import type { Prepared } from '../../runtime/expression-types.ts'
import type { PreparedProxy } from '../../runtime/runtime.ts'
import { chooseBackend } from './choose-backend.ts'

const A: BackendTarget = { kind: 'backend', backend: 'a' }
const B: BackendTarget = { kind: 'backend', backend: 'b' }
const BROKEN: BackendTarget = {
  kind: 'reject',
  status: 500,
  cause: 'backend-invalid',
  because: 'No Service has this port.',
}

function proxyOf(some: Partial<PreparedProxy>): PreparedProxy {
  return { kind: 'proxy', conditional: null, single: null, weighted: [], ...some }
}

function saying(result: 'true' | 'false' | 'failed'): Prepared {
  return { source: result, test: () => result, evaluate: () => null }
}

const EXCHANGE: Exchange = newExchange({
  id: 'x',
  startedAtMs: 0,
  startedMs: 0,
  protocol: '1.1',
  method: 'GET',
  scheme: 'http',
  host: 'shop',
  path: '/',
  query: null,
  headers: [],
  ip: '192.0.2.1',
  peer: '192.0.2.1',
  peerTrust: 'untrusted',
  upgrade: null,
  body: EMPTY_BODY,
  answer: Object.create(Http1Answer.prototype),
  refusal: null,
})

function chosen(action: PreparedProxy, drawn = 0): string {
  const choice = chooseBackend(action, EXCHANGE, () => drawn)
  return choice.kind === 'backend' ? choice.backend : choice.cause
}

test('each backend gets its share, a broken one too', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(weights, (shares) => {
      const sum = shares.reduce((before, share) => before + share, 0)
      let upTo = 0
      const weighted = shares.map((share, i) => {
        upTo += share
        const to: BackendTarget = i === 0 ? BROKEN : { kind: 'backend', backend: String(i) }
        return { upTo, to }
      })
      const counts = new Map<string, number>()
      for (let i = 0; i < sum; i++) {
        const name = chosen(proxyOf({ weighted }), (i + 0.5) / sum)
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      const names = shares.map((_, i) => (i === 0 ? 'backend-invalid' : String(i)))
      assert.deepEqual(
        [...counts],
        names.map((name, i) => [name, shares[i]]),
      )
    }),
  )
})

test('the first condition that holds decides, one that fails fails the request', () => {
  const conditional = [
    { when: saying('false'), to: A },
    { when: saying('true'), to: B },
    { when: saying('failed'), to: A },
  ]
  assert.equal(chosen(proxyOf({ conditional, single: A })), 'b')
  assert.equal(
    chosen(proxyOf({ conditional: conditional.slice(2), single: A })),
    'expression-failed',
  )
  assert.equal(chosen(proxyOf({ conditional: conditional.slice(0, 1), single: B })), 'b')
  assert.equal(chosen(proxyOf({ conditional: conditional.slice(0, 1) })), 'no-endpoint')
  assert.equal(chosen(proxyOf({ single: BROKEN })), 'backend-invalid')
})
