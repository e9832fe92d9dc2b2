/**
 * Serves an answer again that a backend has given before (RFC 9111): looked up once the request is
 * authenticated, admitted and rewritten, so that nobody sees what they may not, and stored where the
 * backend answers. Private unless the rule says shared.
 * Pinned by cache.test.ts: "an answer is served again to whom it was made for, and to nobody else".
 */
import assert from 'node:assert/strict'
import { CACHED_ANSWER_BYTES_MAX } from '#wire/limits'
import type { Cache } from '#wire/traffic'
import { monotonicMs, wallClockMs } from '../clock.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Failure } from '../request/failure.ts'
import { headerValue } from '../request/headers.ts'
import { CONTINUE, type Outcome, type Respond } from '../request/outcome.ts'
import type { Soon } from '../request/walk.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { audienceOnce, targetOf } from './cache/audience.ts'
import type { Boarding } from './cache/flights.ts'
import { directivesOf, lifetimeOf } from './cache/freshness.ts'
import { KeptStream } from './cache/kept-stream.ts'
import { refresh } from './cache/refresh.ts'
import type { AnswerStore, StoredAnswer } from './cache/store.ts'
import { proxy } from './forward/proxy.ts'

export function lookUp(exchange: Exchange, runtime: Runtime): Soon<Outcome> {
  assert(exchange.rule !== null, 'match has set the rule')
  const { cache } = exchange.rule
  if (cache === null || usable(exchange) === 'no') return CONTINUE
  const { answers } = runtime.beside
  const audience = audienceOnce(exchange.rule, cache, exchange, answers)
  if (audience === null) return CONTINUE
  const scene = { audience, cache, exchange, answers }
  return fromStore(scene, runtime) ?? together(scene, runtime)
}

/** Null: nothing there that this client would take. */
function fromStore(
  { audience, cache, exchange, answers }: Scene,
  runtime: Runtime,
): Respond | null {
  const found = answers.find(targetOf(exchange), audience, exchange.upstreamHeaders)
  if (found === null) return null
  const ageS = ageOf(found)
  const { freshS, stale } = found.lifetime
  const oldS = stale === 'never' ? 0 : (cache.staleWhileRevalidateS ?? 0)
  if (ageS >= freshS + oldS || wants(exchange, found, ageS) === 'another') return null
  if (ageS >= freshS) askAgain(audience, exchange, runtime)
  runtime.beside.count('cacheServed')
  return served(found, ageS, exchange)
}

/** One of those who ask for the same goes to the backend; null audiences have no same. */
function together(scene: Scene, runtime: Runtime): Soon<Outcome> {
  const { audience, exchange } = scene
  if (isPicky(exchange)) return CONTINUE
  const boarding = board(audience, exchange, runtime)
  switch (boarding.kind) {
    case 'first':
      exchange.flight = boarding.flight
      return CONTINUE
    case 'wait':
      runtime.beside.count('cacheWaits')
      return boarding.landed.then(() => fromStore(scene, runtime) ?? CONTINUE)
    case 'apart':
      return CONTINUE
    default:
      return boarding satisfies never
  }
}

/** Whoever says which answer it has, or wants a new one, brings none that others could use. */
function isPicky({ headers }: Exchange): boolean {
  return PICKY.some((name) => headerValue(headers, name) !== null)
}

const PICKY = ['if-none-match', 'if-modified-since', 'cache-control', 'pragma']

/** Whoever asks after a change does not wait for what was asked before it. */
function board(audience: string, exchange: Exchange, { beside }: Runtime): Boarding {
  const target = targetOf(exchange)
  const key = `${audience} ${beside.answers.changedMs(target)} ${target}`
  return beside.flights.board(key, monotonicMs())
}

function askAgain(audience: string, exchange: Exchange, runtime: Runtime): void {
  const { rule } = exchange
  if (rule?.action.kind !== 'proxy') return
  const { action } = rule
  const boarding = board(audience, exchange, runtime)
  if (boarding.kind !== 'first') return
  refresh(exchange, boarding.flight, runtime, {
    ask: (again) => proxy(action, rule, again, runtime),
    keep: (outcome, again) => stored(outcome, again, runtime),
  })
}

/** Whether its answer is to be shown to `stored`: most rules keep nothing, and pay nothing. */
export function concerns({ rule, method, upgrade }: Exchange): 'yes' | 'no' {
  if (rule?.action.kind !== 'proxy') return 'no'
  if (!SAFE.has(method)) return 'yes'
  return rule.cache !== null && upgrade === null ? 'yes' : 'no'
}

/** Called with what forward has answered; only backends' answers are kept. */
export function stored(outcome: Outcome, exchange: Exchange, runtime: Runtime): Outcome {
  const { rule } = exchange
  const { answers } = runtime.beside
  if (changesSomething(outcome, exchange)) answers.changed(targetOf(exchange), monotonicMs())
  const cache = rule?.cache ?? null
  if (rule === null || cache === null || usable(exchange) === 'no') return outcome
  const audience = audienceOnce(rule, cache, exchange, answers)
  if (audience === null) return outcome
  if (isFailing(outcome)) return inItsPlace(outcome, { audience, cache, exchange, answers })
  return kept(outcome, { audience, cache, exchange, answers }) ?? notKept(outcome, exchange)
}

interface Scene {
  readonly audience: string
  readonly cache: Cache
  readonly exchange: Exchange
  readonly answers: AnswerStore
}

// ---- which requests ---------------------------------------------------------------------------

/** HEAD could be answered from GET's answer, but need not be. A part is no whole. */
function usable({ method, headers, body, upgrade }: Exchange): 'yes' | 'no' {
  if (method !== 'GET' || !body.empty || upgrade !== null) return 'no'
  if (CONDITIONS.some((name) => headerValue(headers, name) !== null)) return 'no'
  return directivesOf(headers).has('no-store') ? 'no' : 'yes'
}

const CONDITIONS = ['range', 'if-match', 'if-unmodified-since', 'if-range']

/** Section 5.2.1: what the client says of the answer that it would take. */
function wants({ headers }: Exchange, { lifetime }: StoredAnswer, ageS: number): 'it' | 'another' {
  const directives = directivesOf(headers)
  if (directives.has('no-cache') || headerValue(headers, 'pragma') !== null) return 'another'
  const maxAge = Number(directives.get('max-age') ?? Number.POSITIVE_INFINITY)
  const minFresh = Number(directives.get('min-fresh') ?? Number.NEGATIVE_INFINITY)
  return ageS <= maxAge && lifetime.freshS - ageS >= minFresh ? 'it' : 'another'
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Section 4.4: what it answered before may not be so any more. */
function changesSomething(outcome: Outcome, { method }: Exchange): boolean {
  return !SAFE.has(method) && outcome.kind === 'respond' && outcome.status < 400
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

function notKept(outcome: Outcome, { flight }: Exchange): Outcome {
  flight?.land('notKept')
  return outcome
}

/** Null: it is not to be kept. */
function kept(outcome: Outcome, scene: Scene): Outcome | null {
  if (outcome.kind !== 'respond' || outcome.by !== 'upstream') return null
  const { body, headers, status } = outcome
  if (body.kind !== 'stream' || (body.stream.bytesDeclared ?? 0) > CACHED_ANSWER_BYTES_MAX) {
    return null
  }
  const { audience, cache, exchange, answers } = scene
  const asked = exchange.upstreamHeaders
  const authorization = headerValue(asked, 'authorization') === null ? 'none' : 'sent'
  const answer = { status, headers, nowMs: wallClockMs(), authorization } as const
  const lifetime = lifetimeOf(answer, cache)
  if (lifetime === null) return null
  const storedMs = monotonicMs()
  const varies = variesOf(headers, asked)
  const stream = new KeptStream(body.stream, (bytes) => {
    const target = targetOf(exchange)
    const isOutdated = exchange.startedMs <= answers.changedMs(target)
    if (bytes !== null && !isOutdated) {
      const made = { audience, varies, status, headers, body: bytes, lifetime, storedMs }
      answers.put(target, made, asked)
    }
    exchange.flight?.land(bytes === null ? 'notKept' : 'kept')
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
