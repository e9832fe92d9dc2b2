/**
 * What knowing and limiting a caller adds to a request: `node dataplane/phases/authenticate/jwt.bench.ts`.
 * The figure to reach is 8 µs for a token that is known, with one limit by Consumer (design: section
 * 20). Each request has header lines of its own, as from a socket; what making them costs is taken
 * off. CPU time of this process, the least of all rounds, because other programs disturb.
 */
import { createBeside } from '../../runtime/beside.ts'
import type { RuleAuth } from '#wire/auth'
import { keyOf } from '#wire/key-format'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { fakeRule } from '../../../test/fake/rule.ts'
import { FakeRuntime } from '../../../test/fake/runtime.ts'
import { limit, memory, prepared, rateOf } from '../../limits/fake/limit.ts'
import { SharedLimiter } from '../../limits/shared-limiter.ts'
import { type Exchange, newExchange } from '../../request/exchange.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { admit } from '../admit.ts'
import { authenticate } from '../authenticate.ts'
import { buildAuth } from './build.ts'
import { CLAIMS, ISSUER, jwtEntry, newKey, NOW_S, token } from './fake/issuer.ts'
import {
  addConsumer,
  addKey,
  apiKeyEntry,
  consumer,
  fakeEnvironment,
  FakeReader,
} from './fake/policy.ts'

const TOKENS = 1_000
const REQUESTS = 20_000
const ROUNDS = 15

const env = fakeEnvironment()
const issuerKey = await newKey('RS256', 'k1')
const identities = [{ issuer: ISSUER, claim: 'azp', value: 'acme-app' }]
const acme = addConsumer(env, consumer('acme', { identities, groups: ['gold'] }))
const scope = 'books.read books.write orders.read'
const tokens = await Promise.all(
  Array.from({ length: TOKENS }, (_, i) =>
    token(issuerKey, { ...CLAIMS, sub: `user-${i}`, azp: 'acme-app', scope, exp: NOW_S + 3600 }),
  ),
)
const keys = Array.from({ length: TOKENS }, (_, i) => keyOf(`${i}`.padStart(43, 'k')))
for (const key of keys) addKey(env, key, acme)

const reader = new FakeReader()
  .put('authenticate', 'partners/unit/defaults', {
    entries: [jwtEntry({ keys: { kind: 'inline', keys: [{ ...issuerKey.jwk }] } }), apiKeyEntry()],
  })
  .put('authorize', 'scopes', {
    scopes: ['books.read'],
    require: null,
    when: null,
    deny: { status: 403, cause: 'insufficient-scope', detail: '' },
  })
  .put('forward', 'user', {
    headers: [{ name: 'x-user', value: [{ expr: 'auth.claims.sub' }], onFailure: 'remove' }],
    credential: 'strip',
  })

function ruleOf(parts: Partial<Extract<RuleAuth, { kind: 'policy' }>> = {}) {
  const auth: RuleAuth = {
    kind: 'policy',
    authenticate: 'partners/unit/defaults',
    authorize: [],
    forward: null,
    deny: null,
    ...parts,
  }
  const measure = rateOf(1_000_000_000, 1_000)
  return fakeRule({
    auth: buildAuth(auth, reader, env),
    limitsAfterAuth: prepared(limit({ key: 'auth.consumer', measure })),
  })
}

const { table, upstream, sinks } = new FakeRuntime()
const limiter = new SharedLimiter(memory({ originNs: process.hrtime.bigint() }), 0)
const runtime: Runtime = {
  table,
  upstream,
  sinks,
  httpsPort: null,
  limiter,
  beside: createBeside(),
  bug: () => {},
}
const [received] = [fakeExchange().exchange]

/** As from a socket: texts that nobody has hashed before. */
function requestsWith(name: string, values: readonly string[]): readonly Buffer[] {
  return values.map((value) => Buffer.from(`${name}\n${value}`))
}

function costUs(requests: readonly Buffer[], step: (exchange: Exchange) => void): number {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < REQUESTS; i++) {
      const text = requests[i % requests.length]?.toString('latin1') ?? ''
      const cut = text.indexOf('\n')
      const headers = ['Host', 'shop', 'Accept', '*/*', text.slice(0, cut), text.slice(cut + 1)]
      step(newExchange({ ...received, headers, refusal: null }))
    }
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / REQUESTS)
  }
  return Math.min(...rounds)
}

function report(
  what: string,
  requests: readonly Buffer[],
  step: (exchange: Exchange) => void,
): void {
  const bare = costUs(requests, () => {})
  const us = costUs(requests, step) - bare
  process.stdout.write(`${what.padEnd(56)} ${us.toFixed(2)} µs\n`)
}

const plain = ruleOf()
const full = ruleOf({ authorize: ['scopes'], forward: 'user' })
const bearer = requestsWith(
  'Authorization',
  tokens.map((one) => `Bearer ${one}`),
)
const apiKey = requestsWith('X-Api-Key', keys)

function knownAnd(rule: typeof plain, more: 'limited' | 'unlimited') {
  return (exchange: Exchange): void => {
    exchange.rule = rule
    const outcomes = [authenticate(exchange), more === 'limited' ? admit(exchange, runtime) : null]
    const failure = outcomes.find((one) => one?.kind === 'fail')
    if (failure !== undefined) throw new Error(JSON.stringify(failure))
  }
}

report('a known token', bearer, knownAnd(plain, 'unlimited'))
report('a known token and one limit by Consumer', bearer, knownAnd(plain, 'limited'))
report('the same with a scope and a forwarded header', bearer, knownAnd(full, 'limited'))
report('an API key', apiKey, knownAnd(plain, 'unlimited'))
report('an API key and one limit by Consumer', apiKey, knownAnd(plain, 'limited'))
report('one limit by Consumer alone', apiKey, (exchange) => {
  exchange.rule = plain
  exchange.caller = {
    method: '',
    anonymous: false,
    consumer: acme,
    claims: {},
    groups: [],
    scopes: [],
  }
  admit(exchange, runtime)
})
report('an unknown token (RS256, verified anew)', bearer, (exchange) => {
  env.auth.tokens.clear()
  knownAnd(plain, 'unlimited')(exchange)
})
