/**
 * The words that expressions may use: which variables each place offers, and which fields they
 * have. The controller refuses everything else when it compiles, the runtime provides exactly
 * these. The functions stand in runtime/expression's table and are listed here by name.
 * Pinned by dataplane/runtime/expression.test.ts: "every variable and function of the vocabulary
 * evaluates".
 */

/** Places that hold expressions, and the variables each may use (design: section 4, table). */
export const PLACES = {
  match: ['request'],
  /** An aggregate's calls add the forEach variable by name. */
  policy: ['request', 'auth', 'consumer', 'plan'],
  aggregate: ['request', 'auth', 'consumer', 'plan', 'calls'],
  observe: ['request', 'auth', 'consumer', 'plan', 'response'],
} as const satisfies Record<string, readonly string[]>
export type Place = keyof typeof PLACES

/** Fields of each variable with a closed set of them. `map` may be indexed by any string. */
export const FIELDS = {
  request: {
    method: 'string',
    scheme: 'string',
    host: 'string',
    path: 'string',
    ip: 'string',
    id: 'string',
    time: 'timestamp',
    params: 'map',
    query: 'map',
    queryAll: 'map',
    headers: 'map',
    body: 'dyn',
  },
  auth: { method: 'string', consumer: 'string', claims: 'map', groups: 'list', scopes: 'list' },
  consumer: {
    namespace: 'string',
    name: 'string',
    labels: 'map',
    groups: 'list',
    state: 'string',
    externalIds: 'map',
  },
  plan: { name: 'string', labels: 'map' },
  response: {
    status: 'int',
    duration: 'duration',
    bytes: 'int',
    complete: 'bool',
    partial: 'bool',
    cause: 'string',
  },
} as const

/** Fields of `calls.NAME`. With forEach, `calls.NAME` is a list or map of these. */
export const CALL_FIELDS = { body: 'dyn', status: 'int', headers: 'map', ok: 'bool' } as const

/** Ours, besides CEL's standard library and its strings extension. */
export const OWN_FUNCTIONS = ['inCidr', 'value', 'scopes'] as const
