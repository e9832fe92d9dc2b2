/**
 * What a failure becomes for the client: a problem document (RFC 9457) and its headers. The only
 * place where a cause becomes a response; nothing of ours leaks through it but the failure's detail.
 * Pinned by problem.test.ts: "a problem names its cause, its request and nothing else".
 */
import { FACTS, type Failure } from '../../request/failure.ts'
import { headerValue } from '../../request/headers.ts'

/** Each cause has its paragraph there (docs/errors.md). */
const TYPES = 'https://fairlead.dev/errors#'

/** Seconds after which it is worth asking again where nobody knows better (RFC 9110, 10.2.3). */
const RETRY_AFTER_S: Readonly<Record<number, string>> = { 429: '1', 503: '5' }

export interface Problem {
  readonly status: number
  readonly headers: string[]
  readonly body: Buffer
}

/** `id`: of the exchange, which is what to ask for in a log. */
export function problemOf(failure: Failure, id: string): Problem {
  const { cause, word, status, detail } = failure
  const document = {
    type: `${TYPES}${cause}`,
    title: FACTS[cause].title,
    status,
    detail,
    instance: id,
  }
  const headers = [
    'content-type',
    'application/problem+json',
    'x-fairlead-cause',
    word ?? cause,
    'x-request-id',
    id,
    'cache-control',
    'no-store',
    ...failure.headers,
  ]
  const retryAfter = RETRY_AFTER_S[status]
  if (retryAfter !== undefined && headerValue(failure.headers, 'retry-after') === null) {
    headers.push('retry-after', retryAfter)
  }
  return { status, headers, body: Buffer.from(JSON.stringify(document), 'utf8') }
}
