/**
 * The answer of an aggregate from its settled calls: the body piece by piece, and honest headers
 * where parts are missing. A hole that cannot be filled becomes null and is listed.
 * Pinned by aggregate.test.ts: "a missing part is said in the header, in _errors and to caches".
 */
import { type Failure, fail } from '../../request/failure.ts'
import { withoutHeader } from '../../request/headers.ts'
import type { Outcome } from '../../request/outcome.ts'
import { isFailure, type Scope } from '../../runtime/expression-types.ts'
import { toJson } from '../../runtime/json-write.ts'
import { pushHeaders } from '../header-edits.ts'
import type { CallFailure } from './aggregate-call.ts'
import type { CallError, Timing } from './aggregate-run.ts'
import type { Piece, PreparedAggregate, PreparedCall } from './prepared-aggregate.ts'

export interface Filled {
  readonly errors: readonly CallError[]
  readonly timings: readonly Timing[]
}

export interface BuiltAnswer {
  readonly outcome: Outcome
  readonly partial: 'yes' | 'no'
}

export function answerOf(action: PreparedAggregate, filled: Filled, scope: Scope): BuiltAnswer {
  const status = statusOf(action, scope)
  if (typeof status !== 'number') return { outcome: status, partial: 'no' }
  const writing = new Writing(scope, action.limits.totalBytesMax)
  const errorsText = (): string | null => errorsOf(action, filled, writing.holes)
  const text = writing.document(action.response.body, action.errors.field, errorsText)
  if (text === null) return { outcome: TOO_LARGE, partial: 'no' }
  const partial = filled.errors.length + writing.holes.length > 0 ? 'yes' : 'no'
  const headers = headersOf(action, filled, scope)
  if (!Array.isArray(headers)) return { outcome: headers, partial: 'no' }
  addHonesty(headers, filled, writing.holes, partial)
  const bytes = Buffer.from(text, 'utf8')
  const list =
    partial === 'yes'
      ? [...withoutHeader(headers, 'cache-control'), 'cache-control', 'no-store']
      : headers
  const outcome = {
    kind: 'respond',
    status,
    headers: list,
    body: { kind: 'bytes', bytes },
    by: 'gateway',
  } as const
  return { outcome, partial }
}

const TOO_LARGE = fail('response-invalid', 'The combined answer would be larger than is allowed.')

function statusOf({ response }: PreparedAggregate, scope: Scope): number | Failure {
  if (response.status === null) return 200
  const text = response.status.render(scope)
  const status = typeof text === 'string' ? Number(text) : Number.NaN
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status
  return fail('response-invalid', 'The status of the combined answer cannot be computed.')
}

function headersOf(
  action: PreparedAggregate,
  { timings }: Filled,
  scope: Scope,
): string[] | Failure {
  const headers: string[] = []
  const failure = pushHeaders(headers, action.response.headers, scope)
  if (failure !== null) return failure
  if (!headers.some((name, i) => i % 2 === 0 && name === 'content-type')) {
    headers.push('content-type', 'application/json')
  }
  if (timings.length > 0) {
    const parts = timings.map(({ call, durationMs }) => `${call};dur=${durationMs.toFixed(1)}`)
    headers.push('server-timing', parts.join(', '))
  }
  return headers
}

/** `complete`, or `partial` with the calls that are missing (RFC 9651 item with a parameter). */
function addHonesty(
  headers: string[],
  { errors }: Filled,
  holes: readonly string[],
  partial: 'yes' | 'no',
): void {
  const calls = [...new Set(errors.map(({ call }) => call))].join(' ')
  const failedCalls = calls === '' ? '' : `;failed="${calls}"`
  const open = holes.length === 0 ? '' : `;holes=${holes.length}`
  headers.push('aggregate-status', partial === 'no' ? 'complete' : `partial${failedCalls}${open}`)
}

/** Null where there is nothing to list, or nothing is to be listed. */
function errorsOf(
  action: PreparedAggregate,
  { errors }: Filled,
  holes: readonly string[],
): string | null {
  const { detail } = action.errors
  if (detail === 'none' || errors.length + holes.length === 0) return null
  const listed = errors.flatMap((error) => {
    const shownAt = action.calls.find(({ call }) => call.name === error.call)?.shownAt ?? []
    const paths = shownAt.length === 0 ? [null] : shownAt
    return paths.map((path) => entryOf(error, path, detail))
  })
  const named = new Set(listed.map(({ path }) => path))
  const others = holes
    .filter((path) => !named.has(path))
    .map((path) => ({ path, code: 'missing-value' }))
  return JSON.stringify([...listed, ...others])
}

function entryOf(error: CallError, path: string | null, detail: 'summary' | 'full') {
  const { call, code, status, durationMs, fallback } = error
  const summary = { call, ...(path === null ? {} : { path }), code }
  if (detail === 'summary') return { path, ...summary }
  const durationRounded = Math.round(durationMs * 10) / 10
  return {
    path,
    ...summary,
    ...(status === null ? {} : { status }),
    durationMs: durationRounded,
    fallback,
  }
}

/** A required call has failed: the answer of all. A 4xx passes as it came. */
export function failureOf(by: PreparedCall, failure: CallFailure): Outcome {
  const { name } = by.call
  if (failure.passes !== null) {
    const { status, contentType, bytes } = failure.passes
    const headers = contentType === null ? [] : ['content-type', contentType]
    return { kind: 'respond', status, headers, body: { kind: 'bytes', bytes }, by: 'upstream' }
  }
  switch (failure.code) {
    case 'timeout':
      return fail('call-timeout', `The call "${name}" did not answer in time.`)
    case 'missing-input':
      return fail('missing-input', `The call "${name}" lacks a value that it needs.`)
    default:
      return fail('call-failed', `The call "${name}" failed (${failure.code}).`)
  }
}

/** Writes the body as text, so that what came as text goes out as it came. */
class Writing {
  /** Paths of holes that became null. */
  readonly holes: string[] = []
  readonly #scope: Scope
  #left: number

  constructor(scope: Scope, bytesMax: number) {
    this.#scope = scope
    this.#left = bytesMax
  }

  /** Null: larger than is allowed. */
  document(body: Piece, errorsField: string, errors: () => string | null): string | null {
    const text = this.#write(body)
    const listed = errors()
    if (this.#left < 0) return null
    if (listed === null || body.kind !== 'object') return text
    const separator = body.fields.length === 0 ? '' : ','
    return `${text.slice(0, -1)}${separator}${JSON.stringify(errorsField)}:${listed}}`
  }

  #write(piece: Piece): string {
    switch (piece.kind) {
      case 'text':
        return this.#spend(piece.text)
      case 'hole':
        return this.#hole(piece)
      case 'object': {
        const fields = piece.fields.map(
          ({ name, piece: inner }) => `${JSON.stringify(name)}:${this.#write(inner)}`,
        )
        return `{${fields.join(',')}}`
      }
      case 'list':
        return `[${piece.items.map((item) => this.#write(item)).join(',')}]`
      default:
        return piece satisfies never
    }
  }

  #hole({ path, template }: Extract<Piece, { kind: 'hole' }>): string {
    const value = template.value(this.#scope)
    if (isFailure(value)) {
      this.holes.push(path)
      return 'null'
    }
    const text = toJson(value, Math.max(0, this.#left))
    // A part that has no room is no hole that a fallback could explain: nothing is answered then.
    if (isFailure(text)) this.#left = -1
    return isFailure(text) ? 'null' : this.#spend(text)
  }

  #spend(text: string): string {
    this.#left -= text.length
    return text
  }
}
