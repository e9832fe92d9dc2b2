/**
 * The examples of the documentation, as YAML through the schema and through every step.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { decode } from '../../crds/decode.ts'
import type { CrdKind, SpecOf } from '../../crds/kinds.ts'
import { checkValue } from '#wire/check'
import { compileAuthPart } from './auth.ts'
import { compileConsumer } from './consumer.ts'
import { grant, resource, service, world } from './fake/world.ts'
import { compileLimitPart } from './limit.ts'
import { FieldPath } from './problem.ts'
import { compileRule } from './route.ts'

const SERVICES = ['books', 'books-next', 'orders', 'customers', 'stock']
const WITHIN = world([
  ...SERVICES.map((name) => service(name, [{ port: 80 }])),
  service('search', [{ port: 8080 }]),
  service('search-old', [{ port: 8080 }]),
  grant('partners', 'AuthPolicy', { group: 'fairlead.dev', kind: 'Consumer' }),
])

function specOf<K extends CrdKind>(kind: K, yaml: string): SpecOf[K] {
  const written: unknown = parse(`apiVersion: fairlead.dev/v1alpha1\nkind: ${kind}\n${yaml}`)
  const { spec, problems } = decode(kind, written)
  assert.deepEqual(problems, [])
  assert.ok(spec !== null)
  return spec
}

const ROUTE = `
metadata: { name: shop, namespace: shop }
spec:
  hosts: [shop.example.com, "*.shop.example.com"]
  rules:
  - name: catalogue
    match: [{ method: GET, path: /books/** }]
    backends: [{ service: { name: books, port: 80 }, weight: 9 }, { service: { name: books-next, port: 80 }, weight: 1 }]
    timeouts: { total: 2s }
  - name: beta
    match:
    - path: /search
      headers: [{ name: x-channel, exact: beta }]
      queryParams: [{ name: v, exact: "2" }]
      when: inCidr(request.ip, "10.0.0.0/8")
    rewrite: { path: "/v2/search", host: search.internal }
    requestHeaders: { set: [{ name: x-tenant, value: "\${auth.claims.tenant}" }], remove: [cookie] }
    responseHeaders: { remove: [server] }
    backends: [{ service: { name: search, port: 8080 }, when: "'beta' in auth.groups" }, { service: { name: search-old, port: 8080 } }]
  - name: gone
    match: [{ path: /v0/** }]
    redirect: { status: 308, path: /v1/** }
  - name: ping
    public: true
    match: [{ path: /ping }]
    respond: { status: 200, headers: [{ name: content-type, value: text/plain }], body: pong }
  - name: order-page
    match: [{ method: GET, path: "/orders/{id}" }]
    aggregate:
      deadline: 800ms
      limits: { calls: 50, concurrency: 12, totalBytes: 8Mi }
      errors: { field: _errors, detail: summary }
      calls:
        order:    { backend: { service: { name: orders, port: 80 } }, path: "/orders/\${request.params.id}" }
        customer: { backend: { service: { name: customers, port: 80 } }, path: "/customers/\${calls.order.body.customerId}", fallback: { value: { name: unknown } } }
        stock:
          forEach: { in: calls.order.body.lines, as: line, key: line.sku, max: 50, concurrency: 8, overflow: fail, onItemError: fallback }
          backend: { service: { name: stock, port: 80 } }
          path: "/stock/\${line.sku}"
          fallback: { value: { left: 0 } }
          expect: { status: [2xx], contentType: application/json }
          headers: { forward: [identity, trace], set: [] }
        notify:   { after: [order], method: POST, path: /audit, body: "\${calls.order.body}", backend: { service: { name: orders, port: 80 } } }
      response:
        status: "\${calls.order.status}"
        headers: [{ name: etag, value: "\${calls.order.headers.etag}" }]
        body:
          id: "\${calls.order.body.id}"
          customer: "\${calls.customer.body}"
          lines: '\${calls.order.body.lines.map(l, {"sku": l.sku, "left": calls.stock[l.sku].body.left})}'
`

test('every rule of the documented route works', () => {
  for (const rule of specOf('ApiRoute', ROUTE).rules) {
    const { value, problems } = compileRule(rule, new FieldPath('rule'), WITHIN)
    assert.deepEqual(problems, [], rule.name)
    const { backends, ...rest } = value
    const auth = { kind: 'open' } as const
    const made = { ...rest, route: 'shop/shop', name: rule.name, auth, limits: [] }
    assert.equal(checkValue('rule', made), null, rule.name)
    assert.notEqual(made.action.kind, 'reject', rule.name)
    for (const backend of backends.values()) assert.equal(backend.protocol, 'http')
  }
})

test('the documented AuthPolicy works, as far as its methods are supported', () => {
  const policy = specOf(
    'AuthPolicy',
    `
metadata: { name: shop, namespace: shop }
spec:
  targetRefs: [{ kind: ApiRoute, name: shop }]
  authenticate:
    staff:    { jwt: { issuer: "https://id.example.com", audiences: [shop] } }
    partners: { apiKey: { from: [{ header: { name: x-api-key } }], consumers: { namespaces: [partners], selector: { matchLabels: { partner: "true" } } } } }
    guest:    { anonymous: {} }
  authorize:
    readers:       { scopes: [books.read], when: 'request.method == "GET"' }
    not-suspended: { require: 'consumer.state == "Active"', deny: { status: 403, cause: suspended, detail: "Read-only; see the portal." } }
  forward:  { headers: [{ name: x-user, value: "\${auth.claims.sub}" }], credential: strip }
`,
  )
  const { value, problems } = compileAuthPart(policy, new FieldPath('spec'), WITHIN)
  assert.deepEqual(problems, [])
  assert.equal(value.usable, 'yes')
  assert.ok(value.authenticate !== null)
  assert.equal(checkValue('authenticate', value.authenticate), null)
})

test('the documented RateLimitPolicy works, where it is local', () => {
  const policy = specOf(
    'RateLimitPolicy',
    `
metadata: { name: shop, namespace: shop }
spec:
  targetRefs: [{ kind: ApiRoute, name: shop }]
  limits:
    per-partner: { key: auth.consumer, rate: 60/1m, burst: 20, rates: [{ when: '"gold" in auth.groups', rate: 600/1m }] }
    exports:     { key: auth.consumer, rate: 10/1h, cost: 'request.path.startsWith("/export") ? 5 : 1' }
    whole-api:   { rate: 5000/1s }
    in-flight:   { key: request.ip, concurrency: 50, stage: beforeAuth }
  mode: enforce
  onStoreFailure: local
`,
  )
  const within = { ...WITHIN, policy: 'shop/shop' }
  const { value, problems } = compileLimitPart(policy, new FieldPath('spec'), within)
  assert.deepEqual(problems, [])
  assert.deepEqual([...value.limits.keys()], ['exports', 'in-flight', 'per-partner', 'whole-api'])
  for (const limit of value.limits.values()) assert.equal(checkValue('limit', limit), null)
})

test('the documented Consumer works, without its certificate and its members', () => {
  const spec = specOf(
    'Consumer',
    `
metadata: { name: acme, namespace: partners }
spec: { displayName: Acme, state: Active, groups: [gold], identities: [{ issuer: "https://id.example.com", claim: azp, value: acme-app }], externalIds: { stripe: cus_N123 } }
`,
  )
  const acme = resource('Consumer', 'acme', { namespace: 'partners' })
  const { value, problems } = compileConsumer(spec, new FieldPath('spec'), acme)
  assert.deepEqual(problems, [])
  assert.ok(value !== null && checkValue('consumer', value) === null)
})
