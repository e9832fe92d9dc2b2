/**
 * One call of an aggregate under way: its answer, read whole within bounds, and what became of it.
 * Knows nothing of the other calls, nor how its request was made (aggregate-request.ts).
 * Pinned by aggregate.test.ts: "an answer that is not what was expected is a failure with its code".
 */
import type { Call } from '#wire/aggregate'
import { monotonicMs } from '../../clock.ts'
import type { Exchange } from '../../request/exchange.ts'
import type { Failure } from '../../request/failure.ts'
import { headerValue } from '../../request/headers.ts'
import type { AnswerStream } from '../../request/outcome.ts'
import { Pages } from '../../request/pages.ts'
import type { CelValue } from '../../runtime/expression-types.ts'
import { parseJson } from '../../runtime/json.ts'
import type {
  Upstream,
  UpstreamCall,
  UpstreamHead,
  UpstreamRequest,
} from '../../upstream/upstream.ts'

/** Why a call has no answer of its own: the word in `_errors`, closed and documented. */
export const CALL_FAILURE_CODES = [
  'missing-input', // an expression of its request, or of the key of an item, has no value
  'unexpected-status',
  'unexpected-type', // another content type, or an encoding that was not asked for
  'unparsable', // not the JSON that it says it is
  'too-large', // the answers together are larger than limits.totalBytes
  'too-many-calls', // limits.calls is used up
  'timeout',
  'unreachable', // no endpoint, or no connection
  'broken', // the answer ended early, or was no HTTP
  'item-failed', // an item of forEach failed
  'too-many-items', // forEach.max is exceeded
  'duplicate-key', // an earlier item of forEach has the same key, and another request
] as const

export type CallFailureCode = (typeof CALL_FAILURE_CODES)[number]

export interface CallFailure {
  readonly kind: 'failed'
  readonly code: CallFailureCode
  /** Of the upstream's answer; null where none came. */
  readonly status: number | null
  readonly durationMs: number
  /** A 4xx with what it said: a required call passes it on. */
  readonly passes: PassedAnswer | null
}

export interface PassedAnswer {
  readonly status: number
  readonly contentType: string | null
  readonly bytes: Buffer
}

/** What expressions see as `calls.NAME`. */
export interface CallAnswer {
  readonly kind: 'answered'
  readonly value: { readonly [name: string]: CelValue }
  readonly durationMs: number
}

export type CallResult = CallAnswer | CallFailure

/** Counts what all calls of one request may take together. */
export interface Allowance {
  bytesLeft: number
  callsLeft: number
}

export interface CallWithin {
  readonly exchange: Exchange
  readonly upstream: Upstream
  readonly allowance: Allowance
  /** Of the whole aggregate, milliseconds of hrtime. */
  readonly deadlineMs: number
}

export function failed(
  code: CallFailureCode,
  status: number | null = null,
  durationMs = 0,
): CallFailure {
  return { kind: 'failed', code, status, durationMs, passes: null }
}

export interface Sent {
  abort(): void
}

/** `done` is called exactly once, never before this has returned. */
export function send(
  request: UpstreamRequest,
  call: Call,
  within: CallWithin,
  done: (result: CallResult) => void,
): Sent {
  return new Reading(request, call, within, done)
}

/** From the request to the last byte of its answer. */
class Reading implements Sent {
  readonly #call: Call
  readonly #within: CallWithin
  readonly #startedMs = monotonicMs()
  readonly #timer: NodeJS.Timeout
  readonly #upstreamCall: UpstreamCall
  readonly #chunks: Buffer[] = []
  readonly #pages = new Pages()
  #done: ((result: CallResult) => void) | null
  #head: UpstreamHead | null = null

  constructor(
    request: UpstreamRequest,
    call: Call,
    within: CallWithin,
    done: (result: CallResult) => void,
  ) {
    this.#call = call
    this.#within = within
    this.#done = done
    const leftMs = Math.max(0, request.deadlineMs - this.#startedMs)
    this.#timer = setTimeout(() => this.#stop('timeout'), leftMs)
    this.#upstreamCall = within.upstream.send(request, {
      head: (head) => this.#read(head),
      failed: (failure) => this.#end(failed(codeOf(failure), null, this.#durationMs())),
    })
  }

  abort(): void {
    this.#done = null
    clearTimeout(this.#timer)
    this.#upstreamCall.abort()
    this.#head?.stream.abort()
  }

  #durationMs(): number {
    return monotonicMs() - this.#startedMs
  }

  #read(head: UpstreamHead): void {
    if (this.#done === null) {
      head.stream.abort()
      return
    }
    this.#head = head
    const { stream } = head
    stream.start({
      data: (chunk) => this.#take(chunk, stream),
      end: () => this.#judge(head),
      fail: () => this.#end(failed('broken', head.status, this.#durationMs())),
    })
  }

  #take(chunk: Buffer, stream: AnswerStream): 'more' | 'pause' {
    const { allowance } = this.#within
    allowance.bytesLeft -= chunk.length
    if (allowance.bytesLeft < 0) {
      this.#stop('too-large')
      stream.abort()
    } else this.#chunks.push(...this.#pages.add(chunk))
    return 'more'
  }

  #stop(code: CallFailureCode): void {
    const done = this.#done
    const result = failed(code, this.#head?.status ?? null, this.#durationMs())
    this.abort()
    done?.(result)
  }

  #end(result: CallResult): void {
    const done = this.#done
    this.#done = null
    clearTimeout(this.#timer)
    done?.(result)
  }

  #judge(head: UpstreamHead): void {
    const rest = this.#pages.take()
    if (rest !== null) this.#chunks.push(rest)
    const bytes = Buffer.concat(this.#chunks)
    this.#end(judged(this.#call, head, bytes, this.#durationMs()))
  }
}

function codeOf({ cause }: Failure): CallFailureCode {
  switch (cause) {
    case 'no-endpoint':
    case 'upstream-connect':
      return 'unreachable'
    case 'upstream-timeout':
      return 'timeout'
    default:
      return 'broken'
  }
}

function judged(call: Call, head: UpstreamHead, bytes: Buffer, durationMs: number): CallResult {
  const { status, headers } = head
  const contentType = headerValue(headers, 'content-type')
  if (!call.expect.statuses.some(({ from, to }) => status >= from && status <= to)) {
    const passes = status >= 400 && status < 500 ? { status, contentType, bytes } : null
    return { ...failed('unexpected-status', status, durationMs), passes }
  }
  const media = mediaOf(contentType)
  const wanted = call.expect.contentType?.toLowerCase() ?? media
  const encoding = headerValue(headers, 'content-encoding') ?? 'identity'
  if (media !== wanted || encoding !== 'identity') {
    return failed('unexpected-type', status, durationMs)
  }
  const body = bodyValue(media, bytes, mayBeEmpty(call, status))
  if (body === undefined) return failed('unparsable', status, durationMs)
  return {
    kind: 'answered',
    value: callValue('yes', status, headersMap(headers), body),
    durationMs,
  }
}

function mediaOf(contentType: string | null): string {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/**
 * Undefined: it is not what its type says, as no bytes at all are no JSON (RFC 8259, section 2).
 * Where nothing may follow the head, its type speaks of what a GET would bring.
 */
function bodyValue(
  media: string,
  bytes: Buffer,
  empty: 'expected' | 'judged',
): CelValue | undefined {
  const json = JSON_MEDIA.test(media)
  if (bytes.length === 0 && (!json || empty === 'expected')) return null
  const text = bytes.toString('utf8')
  if (!json) return text
  const parsed = parseJson(text)
  return parsed.kind === 'value' ? parsed.value : undefined
}

const JSON_MEDIA = /^application\/(json|[a-z0-9.+-]+\+json)$/

/** RFC 9110, sections 9.3.2, 15.3.5, 15.3.6 and 15.4.5. */
function mayBeEmpty({ method }: Call, status: number): 'expected' | 'judged' {
  const never = method === 'HEAD' || status === 204 || status === 205 || status === 304
  return never ? 'expected' : 'judged'
}

type CallHeaders = { readonly [name: string]: CelValue }

export function callValue(
  ok: 'yes' | 'no',
  status: number,
  headers: CallHeaders,
  body: CelValue,
): { readonly [name: string]: CelValue } {
  return { ok: ok === 'yes', status, headers, body }
}

function headersMap(headers: readonly string[]): CallHeaders {
  // Names come from the wire: they never become keys of a plain object with a prototype.
  const map: Record<string, CelValue> = Object.create(null)
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    if (!(name in map)) map[name] = headerValue(headers, name)
  }
  return map
}

export const NO_HEADERS: CallHeaders = Object.freeze(Object.create(null))
