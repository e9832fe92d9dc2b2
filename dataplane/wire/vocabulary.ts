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

/** Numbers of arguments with which a function may be called, as `f(x)` and as `x.f()`. */
export interface FunctionForms {
  readonly call: readonly number[]
  /** Arguments besides the value before the dot. */
  readonly method: readonly number[]
}

/** Every function of expressions but operators and macros. Both sides know exactly these. */
export const FUNCTIONS: { readonly [name: string]: FunctionForms } = {
  size: { call: [1], method: [0] },
  matches: { call: [2], method: [1] },
  timestamp: { call: [1], method: [] },
  duration: { call: [1], method: [] },
  int: { call: [1], method: [] },
  uint: { call: [1], method: [] },
  double: { call: [1], method: [] },
  string: { call: [1], method: [] },
  bytes: { call: [1], method: [] },
  bool: { call: [1], method: [] },
  type: { call: [1], method: [] },
  dyn: { call: [1], method: [] },
  inCidr: { call: [2], method: [] },
  value: { call: [2], method: [] },
  scopes: { call: [1], method: [] },
  'strings.quote': { call: [1], method: [] },
  contains: { call: [], method: [1] },
  startsWith: { call: [], method: [1] },
  endsWith: { call: [], method: [1] },
  charAt: { call: [], method: [1] },
  indexOf: { call: [], method: [1, 2] },
  lastIndexOf: { call: [], method: [1, 2] },
  join: { call: [], method: [0, 1] },
  lowerAscii: { call: [], method: [0] },
  upperAscii: { call: [], method: [0] },
  replace: { call: [], method: [2, 3] },
  split: { call: [], method: [1, 2] },
  substring: { call: [], method: [1, 2] },
  trim: { call: [], method: [0] },
  reverse: { call: [], method: [0] },
  format: { call: [], method: [1] },
  getFullYear: { call: [], method: [0, 1] },
  getMonth: { call: [], method: [0, 1] },
  getDate: { call: [], method: [0, 1] },
  getDayOfMonth: { call: [], method: [0, 1] },
  getDayOfWeek: { call: [], method: [0, 1] },
  getDayOfYear: { call: [], method: [0, 1] },
  getHours: { call: [], method: [0, 1] },
  getMinutes: { call: [], method: [0, 1] },
  getSeconds: { call: [], method: [0, 1] },
  getMilliseconds: { call: [], method: [0, 1] },
}

/** Macros: `has(a.b)`, and methods whose first argument is the name of a variable. */
export const MACROS: { readonly [name: string]: FunctionForms } = {
  has: { call: [1], method: [] },
  all: { call: [], method: [2] },
  exists: { call: [], method: [2] },
  exists_one: { call: [], method: [2] },
  filter: { call: [], method: [2] },
  map: { call: [], method: [2, 3] },
}

/** Names of types, as `type(x)` gives them. */
export const TYPE_NAMES: readonly string[] = [
  'int',
  'uint',
  'double',
  'bool',
  'string',
  'bytes',
  'list',
  'map',
  'null_type',
  'type',
  'google.protobuf.Timestamp',
  'google.protobuf.Duration',
]
