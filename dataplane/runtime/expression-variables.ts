/**
 * What `request`, `auth`, `consumer`, `plan` and `response` are in expressions: for each field the
 * shortest way to it in the exchange, chosen when the closure is built, so that reading one is no
 * look-up. Exactly the fields of the vocabulary.
 * Pinned by expression.test.ts: "every variable and function of the vocabulary evaluates".
 */
import type { Consumer } from '#wire/auth'
import type { FIELDS } from '#wire/vocabulary'
import type { Caller } from '../phases/authenticate/caller.ts'
import type { Exchange } from '../request/exchange.ts'
import { headerValue } from '../request/headers.ts'
import { queryPairs, queryValue } from '../request/query.ts'
import { EXHAUSTED, spendSteps, type Budget } from './budget.ts'
import type { Result } from './expression-arithmetic.ts'
import { timestampOfMs } from './expression-time.ts'
import { ExpressionFailure, type CelValue, type Scope } from './expression-types.ts'

/** An expression, or a part of one, as it runs. */
export type Evaluate = (scope: Scope) => Result

export type Root = keyof typeof FIELDS

export function absent(what: string): ExpressionFailure {
  return new ExpressionFailure(`${what} is absent`, 'absent')
}

const NO_CONSUMER = absent('the consumer')
const NO_PLAN = absent('the plan')
const NO_BODY = absent('request.body')
const NO_RESPONSE = absent('response')

const ANONYMOUS: Caller = {
  method: 'anonymous',
  anonymous: true,
  consumer: null,
  claims: {},
  groups: [],
  scopes: [],
}

function callerOf(scope: Scope): Caller {
  return scope.caller ?? ANONYMOUS
}

function ofConsumer(read: (consumer: Consumer) => CelValue): Evaluate {
  return (scope) => {
    const consumer = scope.caller?.consumer ?? null
    return consumer === null ? NO_CONSUMER : read(consumer)
  }
}

/** `namespace/name`, made once for each Consumer of the table. */
function consumerKey(): Evaluate {
  const keys = new WeakMap<Consumer, string>()
  return ofConsumer((consumer) => {
    const known = keys.get(consumer)
    if (known !== undefined) return known
    const key = `${consumer.namespace}/${consumer.name}`
    keys.set(consumer, key)
    return key
  })
}

function ofDecision(read: (scope: Scope, status: number) => CelValue): Evaluate {
  return (scope) => {
    const { decision } = scope.exchange
    return decision === null ? NO_RESPONSE : read(scope, decision.status)
  }
}

type Accessors = { readonly [R in Root]: { readonly [F in keyof (typeof FIELDS)[R]]: Evaluate } }

/** Made once for each worker, because keys of consumers are remembered in it. */
export function createAccessors(budget: Budget): Accessors {
  return {
    request: {
      method: (scope) => scope.exchange.method,
      scheme: (scope) => scope.exchange.scheme,
      host: (scope) => scope.exchange.host,
      path: (scope) => scope.exchange.path,
      ip: (scope) => scope.exchange.ip,
      id: (scope) => scope.exchange.id,
      time: (scope) => timestampOfMs(scope.exchange.startedAtMs),
      params: (scope) => scope.exchange.params,
      query: ({ exchange }) => (pays(exchange, budget) ? queryMap(exchange.query) : EXHAUSTED),
      queryAll: ({ exchange }) =>
        pays(exchange, budget) ? queryAllMap(exchange.query) : EXHAUSTED,
      headers: ({ exchange }) => (pays(exchange, budget) ? headerMap(exchange.headers) : EXHAUSTED),
      body: () => NO_BODY,
    },
    auth: {
      method: (scope) => callerOf(scope).method,
      consumer: consumerKey(),
      claims: (scope) => callerOf(scope).claims,
      groups: (scope) => callerOf(scope).groups,
      scopes: (scope) => callerOf(scope).scopes,
    },
    consumer: {
      namespace: ofConsumer((consumer) => consumer.namespace),
      name: ofConsumer((consumer) => consumer.name),
      labels: ofConsumer((consumer) => consumer.labels),
      groups: ofConsumer((consumer) => consumer.groups),
      state: ofConsumer((consumer) => consumer.state),
      externalIds: ofConsumer((consumer) => consumer.externalIds),
    },
    plan: { name: () => NO_PLAN, labels: () => NO_PLAN },
    response: {
      status: ofDecision((_scope, status) => status),
      duration: () => NO_RESPONSE,
      bytes: ofDecision((scope) => scope.exchange.bytesOut),
      complete: ofDecision((scope) => scope.exchange.complete),
      partial: ofDecision((scope) => scope.exchange.partial),
      cause: ofDecision((scope) => causeOf(scope)),
    },
  }
}

function causeOf({ exchange: { decision } }: Scope): string {
  return decision?.kind === 'fail' ? (decision.word ?? decision.cause) : ''
}

/** Reading a query or a list of headers through, which a macro may ask for again and again. */
function pays({ query, headers }: Exchange, budget: Budget): boolean {
  return spendSteps(budget, 1 + headers.length + ((query ?? '').length >>> 5))
}

/** One entry of a map of the request, read without building the map; null for other maps. */
export function entryOf(root: string, field: string, budget: Budget): EntryReader | null {
  if (root !== 'request') return null
  switch (field) {
    case 'headers':
      return ({ exchange }, name) => headerValue(exchange.headers, name.toLowerCase())
    case 'query':
      return ({ exchange }, name) =>
        pays(exchange, budget) ? queryValue(exchange.query, name) : null
    default:
      return null
  }
}

/** Null: there is none. */
export type EntryReader = (scope: Scope, name: string) => string | null

function headerMap(headers: readonly string[]): CelValue {
  const map: Record<string, string> = Object.create(null)
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    map[name] ??= headerValue(headers, name) ?? ''
  }
  return map
}

function queryMap(query: string | null): CelValue {
  const map: Record<string, string> = Object.create(null)
  const pairs = queryPairs(query)
  for (let i = 0; i + 1 < pairs.length; i += 2) map[pairs[i] ?? ''] ??= pairs[i + 1] ?? ''
  return map
}

function queryAllMap(query: string | null): CelValue {
  const map: Record<string, string[]> = Object.create(null)
  const pairs = queryPairs(query)
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const values = (map[pairs[i] ?? ''] ??= [])
    values.push(pairs[i + 1] ?? '')
  }
  return map
}
