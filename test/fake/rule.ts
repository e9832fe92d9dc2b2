/**
 * Prepared rules for tests that need one without a table.
 */
import type { PreparedRule } from '../../dataplane/runtime/runtime.ts'
import { DEFAULT_DELIVERY } from '../../dataplane/upstream/delivery.ts'

/** An open rule that answers 204, but for what the test says. */
export function fakeRule(rule: Partial<PreparedRule> = {}): PreparedRule {
  return {
    route: 'shop/books',
    name: 'list',
    key: 'shop/books/list',
    auth: null,
    limitsBeforeAuth: null,
    limitsAfterAuth: null,
    rewrite: null,
    requestHeaders: null,
    responseHeaders: null,
    totalTimeoutMs: 30_000,
    delivery: DEFAULT_DELIVERY,
    action: { kind: 'respond', status: 204, headers: [], body: null },
    cors: null,
    addresses: null,
    bodyBytesMax: null,
    faults: null,
    mirror: null,
    compression: null,
    cache: null,
    ...rule,
  }
}
