/**
 * Preflights, and what makes answers readable for pages of other origins.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Cors } from '#wire/traffic'
import { corsOf } from '../../test/fake/cors.ts'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import type { Exchange } from '../request/exchange.ts'
import { headerLines, headerValue } from '../request/headers.ts'
import type { PreparedRule } from '../runtime/runtime.ts'
import { preflight, withCors } from './cors.ts'
import { prepareCors } from './cors/prepared.ts'
import { match } from './match.ts'

interface Asked {
  readonly origin: string
  readonly method: string
  readonly headers: string | null
}

function asking(cors: Cors, { origin, method, headers }: Asked): Exchange {
  const lines = ['Origin', origin, 'Access-Control-Request-Method', method]
  if (headers !== null) lines.push('Access-Control-Request-Headers', headers)
  const { exchange } = fakeExchange({ method: 'OPTIONS', headers: lines })
  exchange.rule = fakeRule({ cors: prepareCors(cors) })
  return exchange
}

/** WHATWG Fetch sections 4.9 and 3.3, as a browser reads the answer; our own refusals are as strict. */
function browserAllows(answer: readonly string[], { origin, method, headers }: Asked): boolean {
  const allowed = headerValue(answer, 'access-control-allow-origin')
  const methods = headerValue(answer, 'access-control-allow-methods')?.split(', ') ?? []
  const names = headerValue(answer, 'access-control-allow-headers')?.split(', ') ?? []
  const asked = headers?.split(',') ?? []
  return (
    (allowed === '*' || allowed === origin) &&
    methods.includes(method) &&
    asked.every((name) => names.includes(name) || (names.includes('*') && name !== 'authorization'))
  )
}

function plain(cors: Cors, { origin, method, headers }: Asked): boolean {
  const has = (list: readonly string[], item: string): boolean => list.includes(item)
  return (
    (has(cors.origins, '*') || has(cors.origins, origin)) &&
    (cors.methods === null || has(cors.methods, method)) &&
    (headers?.split(',') ?? []).every(
      (name) => has(cors.headers, name) || (has(cors.headers, '*') && name !== 'authorization'),
    )
  )
}

const ORIGINS = ['https://a.example', 'https://b.example', 'null'] as const
const METHODS = ['GET', 'PUT', 'DELETE'] as const
const NAMES = ['x-a', 'x-b', 'authorization'] as const
const someCors = fc
  .record({
    origins: fc.subarray([...ORIGINS, '*'], { minLength: 1 }),
    methods: fc.option(fc.subarray([...METHODS], { minLength: 1 })),
    headers: fc.subarray([...NAMES, '*']),
  })
  .map(corsOf)
const someAsked = fc.record({
  origin: fc.constantFrom(...ORIGINS),
  method: fc.constantFrom(...METHODS),
  headers: fc.option(fc.subarray([...NAMES], { minLength: 1 }).map((names) => names.join(','))),
})

test('a preflight is judged as the plain twin judges it', () => {
  fc.assert(
    fc.property(someCors, someAsked, (cors, asked) => {
      const exchange = asking(cors, asked)
      const outcome = preflight(exchange)
      assert(outcome.kind !== 'continue')
      const prepared = prepareCors(cors)
      const answer = withCors(outcome.headers, prepared, exchange)
      const judged = outcome.kind === 'respond' && browserAllows(answer, asked)
      assert.equal(judged, plain(cors, asked))
      assert.equal(outcome.kind, judged ? 'respond' : 'fail')
    }),
  )
})

test('what is no preflight goes on', () => {
  const cors = corsOf()
  const { exchange } = fakeExchange({ method: 'OPTIONS', headers: ['Origin', 'https://a.example'] })
  exchange.rule = fakeRule({ cors: prepareCors(cors) })
  assert.equal(preflight(exchange).kind, 'continue')
  const asked = asking(cors, { origin: 'https://a.example', method: 'GET', headers: null })
  asked.rule = fakeRule()
  assert.equal(preflight(asked).kind, 'continue')
})

function linesFor(cors: Cors, origin: string | null, headers: readonly string[]): string[] {
  const { exchange } = fakeExchange({ headers: origin === null ? [] : ['Origin', origin] })
  return withCors(headers, prepareCors(cors), exchange)
}

test('an answer names the one origin that asked, and says that it varies', () => {
  const cors = corsOf({ credentials: 'allowed', expose: ['etag'] })
  assert.deepEqual(linesFor(cors, 'https://app.example.com', ['A', '1']), [
    'A',
    '1',
    'vary',
    'origin',
    'access-control-allow-origin',
    'https://app.example.com',
    'access-control-allow-credentials',
    'true',
    'access-control-expose-headers',
    'etag',
  ])
  for (const other of ['https://evil.example', null]) {
    assert.deepEqual(linesFor(cors, other, []), ['vary', 'origin'])
  }
  assert.deepEqual(linesFor(cors, null, ['Vary', 'accept, Origin']), ['Vary', 'accept, Origin'])
})

test('an answer to everybody is the same for everybody, and credentials never go with it', () => {
  const cors = corsOf({ origins: ['*'] })
  for (const origin of ['https://a.example', null]) {
    assert.deepEqual(linesFor(cors, origin, []), ['access-control-allow-origin', '*'])
  }
})

test('what a backend says of other origins is replaced', () => {
  const from = ['Access-Control-Allow-Origin', '*', 'access-control-allow-credentials', 'true']
  const lines = linesFor(corsOf(), 'https://app.example.com', from)
  const allowed = headerLines(lines, 'access-control-allow-origin')
  assert.deepEqual(allowed, ['https://app.example.com'])
  assert.equal(headerValue(lines, 'access-control-allow-credentials'), null)
})

test('a preflight belongs to the rule that would take its request', () => {
  const own = fakeRule({ name: 'own', cors: prepareCors(corsOf({ methods: null })) })
  const other = fakeRule({ name: 'other' })
  const runtime = new FakeRuntime()
  const found = (rules: Readonly<Record<string, PreparedRule>>): string | undefined => {
    const matcher = {
      match: (exchange: Exchange) => {
        exchange.rule = rules[exchange.method] ?? null
        return null
      },
    }
    runtime.table = { ...runtime.table, matcher }
    const asked = { origin: 'https://app.example.com', method: 'PUT', headers: null }
    const exchange = asking(corsOf(), asked)
    assert.equal(match(exchange, runtime).kind, 'continue')
    return exchange.rule?.name
  }
  assert.equal(found({ PUT: own, OPTIONS: other }), 'own')
  assert.equal(found({ PUT: other, OPTIONS: own }), 'own')
  assert.equal(found({ PUT: other, OPTIONS: other }), 'other')
})
