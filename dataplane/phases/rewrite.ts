/**
 * Says what goes upstream: path, query, host and headers. After admit, because a refused request has
 * no upstream; before forward, which only sends what stands here.
 * Pinned by rewrite.test.ts: "what goes upstream is canonical and holds no credential".
 */
import assert from 'node:assert/strict'
import type { Exchange } from '../request/exchange.ts'
import { CONTINUE, type Outcome } from '../request/outcome.ts'
import { queryWithout } from '../request/query.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { builtPath } from './rewrite/built-path.ts'
import { requestHeaders } from './rewrite/request-headers.ts'

export function rewrite(exchange: Exchange, runtime: Runtime): Outcome {
  const { rule, strip } = exchange
  assert(rule !== null, 'rewrite comes after match')
  if (rule.action.kind !== 'proxy') return CONTINUE
  if (rule.rewrite !== null) {
    exchange.upstreamHost = rule.rewrite.host
    if (rule.rewrite.path !== null) {
      const built = builtPath(rule.rewrite.path, exchange)
      if (built.kind === 'fail') return built
      exchange.upstreamPath = built.path
    }
  }
  if (strip !== null && strip.queryParams.length > 0 && exchange.query !== null) {
    exchange.upstreamQuery = queryWithout(exchange.query, strip.queryParams)
  }
  const headers = requestHeaders(exchange, runtime.table.clientHeaders, rule.requestHeaders)
  if ('kind' in headers) return headers
  exchange.upstreamHeaders = headers
  return CONTINUE
}
