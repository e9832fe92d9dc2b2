/**
 * Random good specs of the kinds that people write most, by hand: what decode must take.
 */
import fc from 'fast-check'

const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,8}[a-z0-9])?$/)
/** Words that YAML 1.1 reads as true or false name no entry. */
const entryName = label.filter((name) => !/^(?:true|false|on|off|yes|no|y|n)$/.test(name))
const duration = fc.constantFrom('500ms', '2s', '1m30s', '24h', '0s')
const expression = fc.constantFrom('true', 'request.path == "/"', "'beta' in auth.groups")
const template = fc.constantFrom('plain', '${auth.claims.sub}', 'a-${request.id}-$${b}', '')
const segment = fc.constantFrom('books', '{id}', 'v1.2', 'a%20b', 'ü', 'x-y_z~')
const path = fc
  .tuple(fc.array(segment, { maxLength: 4 }), fc.constantFrom('', '/', '/**'))
  .map(([segments, end]) => segments.map((part) => `/${part}`).join('') + end)
  .map((text) => (text === '' ? '/' : text))

const service = fc.record(
  { name: label, port: fc.integer({ min: 1, max: 65_535 }), namespace: label },
  { requiredKeys: ['name', 'port'] },
)
const backend = fc.record({ service })

function oneOf(methods: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  return fc.oneof(
    ...Object.entries(methods).map(([name, value]) => value.map((one) => ({ [name]: one }))),
  )
}

function merged(...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> {
  return fc
    .tuple(...parts)
    .map((objects) => Object.fromEntries(objects.flatMap((one) => Object.entries(one))))
}

function optional(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  return fc.record(fields, { requiredKeys: [] })
}

function mapOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  return fc.dictionary(entryName, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true })
}

// ---- routes ---------------------------------------------------------------------------------

const headerName = fc.constantFrom('x-tenant', 'X-Channel', 'accept', 'x_y.z')
const predicate = merged(
  fc.record({ name: headerName }),
  oneOf({
    exact: fc.string({ maxLength: 10 }),
    prefix: fc.constantFrom('a', 'v2-'),
    regex: fc.constantFrom('v[0-9]+', '.*'),
    present: fc.constant(true),
  }),
)
const predicates = fc.array(predicate, { maxLength: 3 })

const match = merged(
  optional({
    method: fc.constantFrom('GET', 'POST', 'PROPFIND', 'M-SEARCH'),
    headers: predicates,
    queryParams: predicates,
    when: expression,
  }),
  fc.oneof(fc.constant({}), oneOf({ path, pathRegex: fc.constant('/a/(?P<id>[0-9]+)') })),
)

const headerValue = fc.record(
  { name: headerName, value: template, required: fc.boolean() },
  { requiredKeys: ['name', 'value'] },
)
const headerEdits = optional({
  set: fc.array(headerValue, { maxLength: 3 }),
  add: fc.array(headerValue, { maxLength: 3 }),
  remove: fc.array(headerName, { maxLength: 3 }),
})

const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    template,
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(label, tie('node'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).node

const call = merged(
  fc.record({ backend, path: fc.constantFrom('/a', '/a/${request.params.id}?b=${calls.a.body}') }),
  optional({
    method: fc.constantFrom('GET', 'POST'),
    when: expression,
    body: json,
    timeout: duration,
    fallback: oneOf({ value: json, none: fc.constant(true) }),
    expect: optional({
      status: fc.array(fc.constantFrom(200, '2xx', '200-204'), { maxLength: 3 }),
    }),
    forEach: fc.record(
      {
        in: expression,
        as: fc.constantFrom('line', 'i'),
        max: fc.integer({ min: 1, max: 99 }),
        key: expression,
      },
      { requiredKeys: ['in', 'as', 'max'] },
    ),
  }),
)
const callName = fc.constantFrom('order', 'stock', 'customerOf', 'a1')
const aggregate = fc.record(
  {
    calls: fc.dictionary(callName, call, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    response: fc.record(
      { body: json, status: fc.constantFrom(200, '${calls.order.status}') },
      { requiredKeys: ['body'] },
    ),
    deadline: duration,
  },
  { requiredKeys: ['calls', 'response'] },
)

const action = oneOf({
  backends: fc.array(backend, { minLength: 1, maxLength: 3 }),
  aggregate,
  respond: fc.record({ status: fc.integer({ min: 200, max: 599 }), body: template }),
  redirect: fc.record({ path, status: fc.constantFrom(301, 302, 303, 307, 308) }),
})

const rule = merged(
  fc.record({ match: fc.array(match, { minLength: 1, maxLength: 3 }) }),
  action,
  optional({
    public: fc.boolean(),
    requestHeaders: headerEdits,
    responseHeaders: headerEdits,
    timeouts: optional({ total: duration, idle: duration }),
    rewrite: optional({ path, host: fc.constantFrom('search.internal', 'a') }),
    body: fc.record({ max: fc.constantFrom('10Mi', 1024, '0') }),
  }),
)

export const apiRouteSpec = fc
  .tuple(
    fc.uniqueArray(label, { minLength: 1, maxLength: 4 }),
    fc.array(rule, { minLength: 4, maxLength: 4 }),
    optional({
      hosts: fc.array(fc.constantFrom('a.example', '*.b.example', 'c'), {
        minLength: 1,
        maxLength: 3,
      }),
      public: fc.boolean(),
    }),
  )
  .map(([names, rules, rest]) => ({
    ...rest,
    rules: names.map((name, i) => ({ name, ...rules[i] })),
  }))

// ---- policies -------------------------------------------------------------------------------

const targetRefs = fc.uniqueArray(
  oneOf({ ApiRoute: label, Namespace: label, ApiGateway: label }).map((one) => {
    const [kind, name] = Object.entries(one)[0] ?? []
    return { kind, name: String(name) }
  }),
  { minLength: 1, maxLength: 4, selector: ({ kind, name }) => `${kind} ${name}` },
)

/** Bare fields or defaults, and overrides beside either. */
function policyOf(part: fc.Arbitrary<object>): fc.Arbitrary<object> {
  const stated = fc.oneof(part, fc.record({ defaults: part }), fc.constant({}))
  return fc
    .tuple(fc.record({ targetRefs }), stated, part, fc.boolean())
    .map(([targets, defaults, overrides, both]) => {
      const isEmpty = Object.keys(defaults).length === 0
      return { ...targets, ...defaults, ...(both || isEmpty ? { overrides } : {}) }
    })
}

const secretRef = fc.record({ name: label, namespace: label }, { requiredKeys: ['name'] })
const authenticate = mapOf(
  oneOf({
    jwt: fc.record(
      {
        issuer: fc.constant('https://id.example.com'),
        audiences: fc.array(label, { minLength: 1 }),
        clockSkew: duration,
      },
      { requiredKeys: ['issuer'] },
    ),
    apiKey: fc.constantFrom({}, { formats: ['imported'], pepperSecretRef: { name: 'pepper' } }),
    basic: fc.record({ secretRef }),
    anonymous: fc.constant({}),
  }),
)
const authorize = mapOf(
  fc.oneof(
    fc.constant({ disabled: true }),
    merged(
      oneOf({ scopes: fc.constant(['books.read']), require: expression }),
      optional({
        when: expression,
        deny: optional({ status: fc.integer({ min: 400, max: 499 }) }),
      }),
    ),
  ),
)
export const authPolicySpec = policyOf(
  fc.record({ authenticate, authorize }, { requiredKeys: ['authenticate'] }),
)

const rate = fc.constantFrom('60/1m', '5000/1s', '1/24h')
const limit = fc.oneof(
  fc.constant({ disabled: true }),
  fc.record({ concurrency: fc.integer({ min: 1, max: 50 }), key: expression }),
  fc.record(
    { rate, key: expression, cost: expression, burst: fc.integer({ min: 1, max: 50 }) },
    { requiredKeys: ['rate'] },
  ),
)
export const rateLimitPolicySpec = policyOf(
  fc.record(
    { limits: mapOf(limit), mode: fc.constantFrom('enforce', 'observe') },
    { requiredKeys: ['limits'] },
  ),
)
