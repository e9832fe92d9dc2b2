/**
 * Serves an answer again that a backend has given before (RFC 9111): looked up once the request is
 * authenticated, admitted and rewritten, so that nobody sees what they may not, and stored where the
 * backend answers. Private unless the rule says shared.
 * Pinned by cache.test.ts: "an answer is served again to whom it was made for, and to nobody else".
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { CACHED_ANSWER_BYTES_MAX } from '#wire/limits'
import type { Cache, CacheKeyPart } from '#wire/traffic'
import { monotonicMs, wallClockMs } from '../clock.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Failure } from '../request/failure.ts'
import { headerValue } from '../request/headers.ts'
import {
  type AnswerSink,
  type AnswerStream,
  CONTINUE,
  type Outcome,
  type Respond,
} from '../request/outcome.ts'
import type { PreparedRule, Runtime } from '../runtime/runtime.ts'
import { directivesOf, lifetimeOf } from './cache/freshness.ts'
import type { AnswerStore, StoredAnswer } from './cache/store.ts'

export function lookUp(exchange: Exchange, runtime: Runtime): Outcome {
  assert(exchange.rule !== null, 'match has set the rule')
  const { cache } = exchange.rule
  if (cache === null || usable(exchange) === 'no') return CONTINUE
  const audience = audienceOnce(exchange.rule, cache, exchange, runtime.beside.answers)
  if (audience === null) return CONTINUE
  const found = runtime.beside.answers.find(targetOf(exchange), audience, exchange.upstreamHeaders)
  if (found === null) return CONTINUE
  const ageS = ageOf(found)
  return ageS < found.lifetime.freshS && wants(exchange, found, ageS) === 'it'
    ? served(found, ageS, exchange)
    : CONTINUE
}

/** Whether its answer is to be shown to `stored`: most rules keep nothing, and pay nothing. */
export function concerns({ rule, method }: Exchange): 'yes' | 'no' {
  if (rule?.action.kind !== 'proxy') return 'no'
  return rule.cache !== null || !SAFE.has(method) ? 'yes' : 'no'
}

/** Called with what forward has answered; only backends' answers are kept. */
export function stored(outcome: Outcome, exchange: Exchange, runtime: Runtime): Outcome {
  const { rule } = exchange
  const { answers } = runtime.beside
  if (changesSomething(outcome, exchange)) answers.drop(targetOf(exchange))
  const cache = rule?.cache ?? null
  if (rule === null || cache === null || usable(exchange) === 'no') return outcome
  const audience = audienceOnce(rule, cache, exchange, answers)
  if (audience === null) return outcome
  if (isFailing(outcome)) return inItsPlace(outcome, { audience, cache, exchange, answers })
  return kept(outcome, { audience, cache, exchange, answers })
}

interface Scene {
  readonly audience: string
  readonly cache: Cache
  readonly exchange: Exchange
  readonly answers: AnswerStore
}

// ---- which requests ---------------------------------------------------------------------------

/** HEAD could be answered from GET's answer, but need not be. A part is no whole. */
function usable({ method, headers, body }: Exchange): 'yes' | 'no' {
  if (method !== 'GET' || !body.empty) return 'no'
  if (CONDITIONS.some((name) => headerValue(headers, name) !== null)) return 'no'
  return directivesOf(headers).has('no-store') ? 'no' : 'yes'
}

const CONDITIONS = ['range', 'if-match', 'if-unmodified-since', 'if-range']

/** Section 5.2.1: what the client says of the answer that it would take. */
function wants({ headers }: Exchange, { lifetime }: StoredAnswer, ageS: number): 'it' | 'another' {
  const directives = directivesOf(headers)
  if (directives.has('no-cache') || headerValue(headers, 'pragma') !== null) return 'another'
  const maxAge = Number(directives.get('max-age') ?? Number.POSITIVE_INFINITY)
  const minFresh = Number(directives.get('min-fresh') ?? 0)
  return ageS <= maxAge && lifetime.freshS - ageS >= minFresh ? 'it' : 'another'
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Section 4.4: what it answered before may not be so any more. */
function changesSomething(outcome: Outcome, { method }: Exchange): boolean {
  return !SAFE.has(method) && outcome.kind === 'respond' && outcome.status < 400
}

// ---- whose answer it is -----------------------------------------------------------------------

/** What the client asked for, as the client named it: requests that change it name it so as well. */
function targetOf({ scheme, host, path, query }: Exchange): string {
  return `${scheme}://${host}${path}?${query ?? ''}`
}

/** Hashed where it is looked up, and known where the answer is stored. */
function audienceOnce(...scene: Parameters<typeof audienceOf>): string | null {
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
  if (caller === null) return null
  const { upstreamPath, upstreamQuery, upstreamHost, upstreamHeaders, identityHeaders } = exchange
  const added = rule.requestHeaders?.added ?? []
  const parts = [
    answers.ruleId(rule),
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

// ---- an answer from the store -----------------------------------------------------------------

function ageOf({ lifetime, storedMs }: StoredAnswer): number {
  return lifetime.ageS + Math.floor((monotonicMs() - storedMs) / 1000)
}

function served(found: StoredAnswer, ageS: number, exchange: Exchange): Respond {
  const headers = withAge(found.headers, ageS)
  const tag = headerValue(found.headers, 'etag')
  const known = headerValue(exchange.headers, 'if-none-match')
  if (tag !== null && known !== null && names(known, tag)) {
    return { kind: 'respond', status: 304, headers, body: { kind: 'empty' }, by: 'upstream' }
  }
  const body = { kind: 'bytes', bytes: found.body } as const
  return { kind: 'respond', status: found.status, headers, body, by: 'upstream' }
}

function withAge(headers: readonly string[], ageS: number): readonly string[] {
  const own: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (name.toLowerCase() !== 'age') own.push(name, headers[i + 1] ?? '')
  }
  own.push('age', String(ageS))
  return own
}

/** RFC 9110 section 13.1.2, by weak comparison. */
function names(list: string, tag: string): boolean {
  const opaque = (text: string): string => text.trim().replace(/^W\//, '')
  return (
    list.trim() === '*' || (list.match(/(?:W\/)?"[^"]*"/g) ?? []).map(opaque).includes(opaque(tag))
  )
}

/** RFC 5861 section 4: these say that there is no answer, not that it is another one. */
const NO_ANSWER: ReadonlySet<number> = new Set([500, 502, 503, 504])

function isFailing(outcome: Outcome): outcome is Respond | Failure {
  if (outcome.kind === 'fail') return outcome.fault === 'upstream'
  return outcome.kind === 'respond' && NO_ANSWER.has(outcome.status)
}

function inItsPlace(outcome: Respond | Failure, scene: Scene): Outcome {
  const { audience, cache, exchange, answers } = scene
  const found = answers.find(targetOf(exchange), audience, exchange.upstreamHeaders)
  if (found === null || found.lifetime.stale === 'never') return outcome
  const ageS = ageOf(found)
  if (ageS >= found.lifetime.freshS + cache.staleIfErrorS) return outcome
  if (outcome.kind === 'respond' && outcome.body.kind === 'stream') outcome.body.stream.abort()
  return served(found, ageS, exchange)
}

// ---- into the store ---------------------------------------------------------------------------

function kept(outcome: Outcome, scene: Scene): Outcome {
  if (outcome.kind !== 'respond' || outcome.by !== 'upstream') return outcome
  const { body, headers, status } = outcome
  if (body.kind !== 'stream' || (body.stream.bytesDeclared ?? 0) > CACHED_ANSWER_BYTES_MAX) {
    return outcome
  }
  const { audience, cache, exchange, answers } = scene
  const asked = exchange.upstreamHeaders
  const authorization = headerValue(asked, 'authorization') === null ? 'none' : 'sent'
  const answer = { status, headers, nowMs: wallClockMs(), authorization } as const
  const lifetime = lifetimeOf(answer, cache)
  if (lifetime === null) return outcome
  const storedMs = monotonicMs()
  const varies = variesOf(headers, asked)
  const stream = new KeptStream(body.stream, (bytes) => {
    const made = { audience, varies, status, headers, body: bytes, lifetime, storedMs }
    answers.put(targetOf(exchange), made, asked)
  })
  return { ...outcome, body: { kind: 'stream', stream } }
}

function variesOf(headers: readonly string[], asked: readonly string[]): readonly string[] {
  const listed = (headerValue(headers, 'vary') ?? '').split(',')
  return listed.flatMap((item) => {
    const name = item.trim().toLowerCase()
    return name === '' ? [] : [name, headerValue(asked, name) ?? '']
  })
}

/** An answer on its way, copied while it passes; kept once it is whole, and not before. */
class KeptStream implements AnswerStream, AnswerSink {
  readonly bytesDeclared: number | null
  readonly #from: AnswerStream
  readonly #whole: (bytes: Buffer) => void
  #chunks: Buffer[] | null = []
  #bytes = 0
  #sink: AnswerSink | null = null

  constructor(from: AnswerStream, whole: (bytes: Buffer) => void) {
    this.#from = from
    this.#whole = whole
    this.bytesDeclared = from.bytesDeclared
  }

  start(sink: AnswerSink): void {
    this.#sink = sink
    this.#from.start(this)
  }

  resume(): void {
    this.#from.resume()
  }

  abort(): void {
    this.#chunks = null
    this.#from.abort()
  }

  data(chunk: Buffer): 'more' | 'pause' {
    this.#bytes += chunk.length
    if (this.#bytes > CACHED_ANSWER_BYTES_MAX) this.#chunks = null
    this.#chunks?.push(Buffer.from(chunk))
    return this.#sink?.data(chunk) ?? 'more'
  }

  /** Trailers would be lost: such an answer is not kept, nor one that is shorter than it said. */
  end(trailers: readonly string[] | null): void {
    const isWhole = this.bytesDeclared === null || this.bytesDeclared === this.#bytes
    if (this.#chunks !== null && trailers === null && isWhole) {
      this.#whole(Buffer.concat(this.#chunks))
    }
    this.#sink?.end(trailers)
  }

  fail(failure: Failure): void {
    this.#chunks = null
    this.#sink?.fail(failure)
  }
}
