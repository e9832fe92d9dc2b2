/**
 * What a host says to requests over plain HTTP, before anything else is done with them: that they
 * are served all the same, sent to https, or refused.
 * Pinned by transport.test.ts: "a request over plain HTTP gets what its host says".
 */
import type { Exchange } from '../request/exchange.ts'
import { fail } from '../request/failure.ts'
import { headerValue } from '../request/headers.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import type { Runtime } from '../runtime/runtime.ts'

export function transport(exchange: Exchange, runtime: Runtime): Outcome {
  const { tls } = runtime.table
  if (tls === null || exchange.scheme === 'https') return CONTINUE
  const word = tls.of(exchange.host)?.http ?? 'serve'
  switch (word) {
    case 'serve':
      return CONTINUE
    case 'refuse':
      return fail('https-required', 'This host is served over https only.')
    case 'redirect':
      return redirect(exchange, runtime.httpsPort)
    default:
      return word satisfies never
  }
}

const HTTPS_PORT = 443
const HTTP_PORT = '80'

function redirect({ host, headers, path, query }: Exchange, httpsPort: number | null): Outcome {
  const [, port] = /:(\d+)$/.exec(headerValue(headers, 'host') ?? '') ?? []
  // Who names no port came by the usual one, and the usual one of https is in front of us as well.
  const isUsual = port === undefined || port === HTTP_PORT || httpsPort === null
  const shown = isUsual || httpsPort === HTTPS_PORT ? '' : `:${httpsPort}`
  const location = `https://${host}${shown}${path}${query === null ? '' : `?${query}`}`
  return {
    kind: 'respond',
    status: 308,
    headers: ['location', location],
    body: { kind: 'empty' },
    by: 'gateway',
  }
}
