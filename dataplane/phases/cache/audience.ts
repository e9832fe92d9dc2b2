/**
 * Whose answer a stored one is: what it answers, and everything that decides it besides.
 * Proved by ../cache.test.ts.
 */
import { createHash } from 'node:crypto'
import type { Cache, CacheKeyPart } from '#wire/traffic'
import type { Exchange } from '../../request/exchange.ts'
import { headerValue } from '../../request/headers.ts'
import type { PreparedRule } from '../../runtime/runtime.ts'
import { firstMet } from '../forward/choose-backend.ts'
import type { AnswerStore } from './store.ts'

/** What the client asked for, as the client named it: requests that change it name it so as well. */
export function targetOf({ scheme, host, path, query }: Exchange): string {
  return `${scheme}://${host}${path}?${query ?? ''}`
}

/** Hashed where it is looked up, and known where the answer is stored. */
export function audienceOnce(...scene: Parameters<typeof audienceOf>): string | null {
  const [, , exchange] = scene
  exchange.cacheAudience ??= audienceOf(...scene)
  return exchange.cacheAudience
}

/**
 * Everything else that decides the answer: the rule as it is prepared now, where the request goes,
 * what the gateway adds to it, what the rule names, and the caller unless answers are shared. Null:
 * nobody can say whose answer it would be.
 */
function audienceOf(
  rule: PreparedRule,
  cache: Cache,
  exchange: Exchange,
  answers: AnswerStore,
): string | null {
  const caller = cache.audience === 'shared' ? [] : callerOf(exchange)
  const backend = conditionOf(rule, exchange)
  if (caller === null || backend === 'failed') return null
  const { upstreamPath, upstreamQuery, upstreamHost, upstreamHeaders, identityHeaders } = exchange
  const added = rule.requestHeaders?.added ?? []
  const parts = [
    answers.ruleId(rule),
    backend,
    upstreamPath,
    upstreamQuery,
    upstreamHost,
    identityHeaders,
    added.map(({ name }) => headerValue(upstreamHeaders, name)),
    cache.by.map((part) => valueOf(part, exchange)),
    caller,
  ]
  return createHash('sha256').update(JSON.stringify(parts, exactly)).digest('base64')
}

/** Conditions of backends see more of a request than anything else here. */
function conditionOf({ action }: PreparedRule, exchange: Exchange): number | 'none' | 'failed' {
  if (action.kind !== 'proxy' || action.conditional === null) return 'none'
  return firstMet(action.conditional, exchange)
}

/** Integers of claims may be larger than a number holds. */
function exactly(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}

/**
 * Whatever could tell callers apart, also where only the backend can read it: a cookie, an
 * Authorization, a key in a header that nobody here has heard of.
 */
function callerOf({ caller, upstreamHeaders }: Exchange): readonly unknown[] | null {
  const telling: string[] = []
  for (let i = 0; i + 1 < upstreamHeaders.length; i += 2) {
    const name = (upstreamHeaders[i] ?? '').toLowerCase()
    if (!NEUTRAL.test(name)) telling.push(name, upstreamHeaders[i + 1] ?? '')
  }
  if (caller === null || caller.anonymous) return ['anybody', ...telling]
  const { consumer, claims } = caller
  if (consumer !== null) return ['consumer', consumer.namespace, consumer.name, ...telling]
  const { iss, sub } = claims
  return iss === undefined || sub === undefined ? null : ['subject', iss, sub, ...telling]
}

/** What says nothing of who is asking; what an answer depends on of these, its Vary names. */
const NEUTRAL =
  /^(?:accept|accept-(?:encoding|language|charset)|user-agent|referer|origin|dnt|priority|pragma|cache-control|te|via|date|x-request-id|x-forwarded-.*|x-real-ip|forwarded|sec-.*|if-none-match|if-modified-since|traceparent|tracestate|baggage|upgrade-insecure-requests)$/

function valueOf({ of, name }: CacheKeyPart, exchange: Exchange): unknown {
  const { headers, query, caller } = exchange
  switch (of) {
    case 'header':
      return headerValue(headers, name)
    case 'query':
      return new URLSearchParams(query ?? '').getAll(name)
    case 'claim':
      return caller === null ? null : caller.claims[name]
    case 'consumer':
      return consumerOf(caller)
    default:
      return of satisfies never
  }
}

function consumerOf(caller: Exchange['caller']): unknown {
  const consumer = caller?.consumer ?? null
  return consumer === null ? null : [consumer.namespace, consumer.name]
}
