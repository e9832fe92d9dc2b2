/**
 * Scopes for tests of expressions: a request that has something of everything, by a caller that is
 * a consumer.
 */
import type { Consumer } from '#wire/auth'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import type { Caller } from '../../phases/authenticate/caller.ts'
import type { Scope } from '../expression-types.ts'

export const CONSUMER: Consumer = {
  namespace: 'partners',
  name: 'acme',
  displayName: 'Acme',
  labels: { partner: 'true' },
  state: 'Active',
  groups: ['gold'],
  externalIds: { stripe: 'cus_1' },
  identities: [],
}

export const CALLER: Caller = {
  method: 'staff',
  anonymous: false,
  consumer: CONSUMER,
  claims: { sub: 'u-1', tenant: 'blue', role: 'admin', level: 3, rate: 1.5, scope: 'read write' },
  groups: ['gold', 'eu'],
  scopes: ['read', 'write'],
}

export function scopeWith(parts: Partial<Scope>): Scope {
  const { exchange } = fakeExchange({
    path: '/orders/7',
    query: 'a=1&b=x%20y&a=2',
    headers: ['Host', 'shop.example.com', 'X-Tenant', 'blue', 'x-list', '1', 'X-List', '2'],
  })
  return { exchange, caller: CALLER, calls: null, locals: null, ...parts }
}
