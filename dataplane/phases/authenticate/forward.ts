/**
 * What the backend learns of the caller: headers that the gateway computes and sets, in place of
 * whatever the client sent under any spelling of their names.
 * Pinned by forward.test.ts: "a header that cannot be computed is not sent, or nothing is".
 */
import type { Consumer } from '#wire/auth'
import type { Exchange } from '../../request/exchange.ts'
import { fail, type Failure } from '../../request/failure.ts'
import type { Scope } from '../../runtime/expression-types.ts'
import type { PreparedHeader } from '../../runtime/runtime.ts'
import type { Caller } from './caller.ts'
import { consumerKey } from './consumer.ts'

/** Flat list; null where there is nothing to say. `headers`: null where no policy forwards any. */
export function identityHeaders(
  exchange: Exchange,
  caller: Caller,
  headers: readonly PreparedHeader[] | null,
): readonly string[] | Failure | null {
  const { consumer } = caller
  if (headers === null) return consumer === null ? null : consumerHeaders(consumer)
  const scope: Scope = { exchange, caller, calls: null, locals: null }
  const found = consumer === null ? [] : consumerHeaders(consumer)
  for (const { name, value, onFailure } of headers) {
    const text = typeof value === 'string' ? value : value.render(scope)
    if (typeof text === 'string') {
      found.push(name, text)
    } else if (onFailure === 'refuse') {
      return fail('header-missing', `The header ${name} cannot be computed for this request.`)
    }
  }
  return found.length === 0 ? null : found
}

/** Kubernetes names and the characters of groups need no encoding; what does is percent-encoded. */
function consumerHeaders(consumer: Consumer): string[] {
  const headers = ['x-consumer-name', consumerKey(consumer)]
  const groups = consumer.groups.map((group) => encodeURIComponent(group.toWellFormed())).join(',')
  if (groups !== '') headers.push('x-consumer-groups', groups)
  return headers
}
