/**
 * The header list that goes to a backend: what of the client's may pass, how the client came, what
 * the rule edits, and last what the gateway says about the caller, which nothing before can alter.
 * Pinned by request-headers.test.ts: "a client cannot speak for the gateway".
 */
import type { CredentialStrip, Exchange } from '../../request/exchange.ts'
import type { Failure } from '../../request/failure.ts'
import { withoutHeader } from '../../request/headers.ts'
import { traceContext } from '../../request/trace-context.ts'
import type { Scope } from '../../runtime/expression-types.ts'
import type { ClientHeader, ClientHeaders } from '../../runtime/client-headers.ts'
import type { PreparedHeaderEdits } from '../../runtime/runtime.ts'
import { pushHeaders } from '../header-edits.ts'
import { pushForwarded, WRITTEN } from './forwarded.ts'

export function requestHeaders(
  exchange: Exchange,
  clientHeaders: ClientHeaders,
  edits: PreparedHeaderEdits | null,
): readonly string[] | Failure {
  let headers = passed(exchange, clientHeaders, edits)
  if (edits !== null) {
    const scope: Scope = { exchange, caller: exchange.caller, calls: null, locals: null }
    const failure = pushHeaders(headers, edits.added, scope)
    if (failure !== null) return failure
  }
  const { identityHeaders } = exchange
  if (identityHeaders !== null) {
    if (edits !== null) headers = withoutNames(headers, identityHeaders)
    headers.push(...identityHeaders)
  }
  return headers
}

function passed(
  exchange: Exchange,
  clientHeaders: ClientHeaders,
  edits: PreparedHeaderEdits | null,
): string[] {
  const { headers, strip } = exchange
  let kept: string[] = []
  let listed: string[] | null = null
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    const known = clientHeaders.of(name)
    if (known.treatment === 'connection') listed = withListed(listed, value)
    else if (mayPass(known, exchange)) {
      const text = known.treatment === 'cookie' ? withoutCredentials(value, strip) : value
      if (text !== null) kept.push(name, text)
    }
  }
  // Only what came from the client: what is ours is added after it.
  kept = withoutBadTrace(listed === null ? kept : withoutNames(kept, listed))
  kept.push('x-request-id', exchange.id)
  pushForwarded(kept, exchange)
  return edits === null ? kept : withoutEdited(kept, clientHeaders, edits)
}

/** Flat list: names without values. */
const TRACE = ['traceparent', '', 'tracestate', '']

function withoutBadTrace(headers: string[]): string[] {
  return traceContext(headers) === 'invalid' ? withoutNames(headers, TRACE) : headers
}

function mayPass({ treatment, lower, folded }: ClientHeader, exchange: Exchange): boolean {
  switch (treatment) {
    case 'drop':
    case 'connection':
      return false
    case 'forwarded':
      return exchange.peerTrust === 'trusted' && lower === folded && !WRITTEN.has(lower)
    case 'pass':
    case 'cookie':
      return exchange.strip === null || !exchange.strip.headers.includes(lower)
    default:
      return treatment satisfies never
  }
}

/** What every connection says of itself names no header that could be there. */
const USUAL: ReadonlySet<string> = new Set(['', 'close', 'keep-alive', 'te', 'upgrade'])

/** Flat list, so that it can be asked like one: listed names without values. */
function withListed(listed: string[] | null, value: string): string[] | null {
  let names = listed
  for (const part of value.split(',')) {
    const name = part.trim().toLowerCase()
    if (USUAL.has(name)) continue
    names ??= []
    names.push(name, '')
  }
  return names
}

/** Without any line whose name is one of the flat list `names`. */
function withoutNames(headers: readonly string[], names: readonly string[]): string[] {
  let kept = headers
  for (let i = 0; i < names.length; i += 2) {
    kept = withoutHeader(kept, (names[i] ?? '').toLowerCase())
  }
  return [...kept]
}

function withoutEdited(
  headers: readonly string[],
  clientHeaders: ClientHeaders,
  edits: PreparedHeaderEdits,
): string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!edits.removedFolded.includes(clientHeaders.of(name).folded))
      kept.push(name, headers[i + 1] ?? '')
  }
  return kept
}

/** The Cookie line without credentials; null where nothing else was in it. */
function withoutCredentials(value: string, strip: CredentialStrip | null): string | null {
  if (strip === null || strip.cookies.length === 0) return value
  const kept = value.split(';').filter((pair) => {
    const equals = pair.indexOf('=')
    return !strip.cookies.includes((equals === -1 ? pair : pair.slice(0, equals)).trim())
  })
  const text = kept.join(';').trim()
  return text === '' ? null : text
}
