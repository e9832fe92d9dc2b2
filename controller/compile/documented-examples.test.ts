/**
 * The examples that introduce the kinds, as people copy them: what this release supports of them runs,
 * and whatever it does not is told at its place.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { check } from '#wire/check'
import { Cluster } from '../../test/fake/cluster.ts'
import type { Written } from '../../test/fake/world.ts'

function read(text: string): Written[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Written)
}

const AROUND = `
kind: Namespace
metadata: { name: shop, labels: { apis: "true" } }
---
kind: Service
metadata: { name: books, namespace: shop }
spec: { ports: [{ port: 80 }] }
---
kind: Service
metadata: { name: search, namespace: shop }
spec: { ports: [{ port: 8080 }] }
---
kind: Service
metadata: { name: orders, namespace: shop }
spec: { ports: [{ port: 80 }] }
---
kind: ReferenceGrant
metadata: { name: shop, namespace: partners }
spec: { from: [{ group: fairlead.dev, kind: AuthPolicy, namespace: shop }], to: [{ group: fairlead.dev, kind: Consumer }] }
`

const GATEWAY = `
kind: ApiGateway
metadata: { name: public, namespace: fairlead-system }
spec:
  dataPlanes: { serviceAccount: fairlead-public, service: fairlead-public }
  listeners: [{ name: http, port: 8080, protocol: HTTP }, { name: https, port: 8443, protocol: HTTPS }]
  allowedNamespaces: { selector: { matchLabels: { apis: "true" } } }
  hosts: { grants: [{ host: "*.shop.example.com", namespaces: [shop] }], ungranted: firstCome }
  routeDefaults: { auth: required }
  trustedProxies: [10.0.0.0/8]
  egress: { allow: [id.internal.example.com] }
`

const ROUTE = `
kind: ApiRoute
metadata: { name: shop, namespace: shop }
spec:
  gateways: [{ name: public, namespace: fairlead-system }]
  hosts: [shop.example.com, "*.shop.example.com"]
  rules:
  - name: catalogue
    match: [{ method: GET, path: /books/** }]
    backends: [{ service: { name: books, port: 80 }, weight: 9 }, { service: { name: search, port: 8080 }, weight: 1 }]
    timeouts: { total: 2s }
  - name: order-page
    match: [{ method: GET, path: "/orders/{id}" }]
    aggregate:
      deadline: 800ms
      limits: { calls: 50, concurrency: 12, totalBytes: 8Mi }
      errors: { field: _errors, detail: summary }
      calls:
        order: { backend: { service: { name: orders, port: 80 } }, path: "/orders/\${request.params.id}" }
        customer:
          backend: { service: { name: orders, port: 80 } }
          path: "/customers/\${calls.order.body.customerId}"
          fallback: { value: { name: unknown } }
        stock:
          forEach: { in: calls.order.body.lines, as: line, key: line.sku, max: 50, concurrency: 8, overflow: fail, onItemError: fallback }
          backend: { service: { name: orders, port: 80 } }
          path: "/stock/\${line.sku}"
          fallback: { value: { left: 0 } }
          expect: { status: [2xx], contentType: application/json }
          headers: { forward: [identity, trace], set: [] }
        notify: { after: [order], method: POST, path: /audit, body: "\${calls.order.body}", backend: { service: { name: orders, port: 80 } } }
      response:
        status: "\${calls.order.status}"
        headers: [{ name: etag, value: "\${calls.order.headers.etag}" }]
        body:
          id: "\${calls.order.body.id}"
          customer: "\${calls.customer.body}"
          lines: '\${calls.order.body.lines.map(l, {"sku": l.sku, "left": calls.stock[l.sku].body.left})}'
  - name: beta
    match:
    - path: /search
      headers: [{ name: x-channel, exact: beta }]
      queryParams: [{ name: v, exact: "2" }]
      when: inCidr(request.ip, "10.0.0.0/8")
    rewrite: { path: "/v2/search", host: search.internal }
    requestHeaders: { set: [{ name: x-tenant, value: "\${auth.claims.tenant}" }], remove: [cookie] }
    responseHeaders: { remove: [server] }
    backends: [{ service: { name: search, port: 8080 }, when: "'beta' in auth.groups" }, { service: { name: books, port: 80 } }]
  - name: gone
    match: [{ path: /v0/** }]
    redirect: { status: 308, path: /v1/** }
  - name: ping
    public: true
    match: [{ path: /ping }]
    respond: { status: 200, headers: [{ name: content-type, value: text/plain }], body: pong }
`

const POLICIES = `
kind: AuthPolicy
metadata: { name: shop, namespace: shop }
spec:
  targetRefs: [{ kind: ApiRoute, name: shop }]
  authenticate:
    staff: { jwt: { issuer: "https://id.example.com", audiences: [shop] } }
    partners: { apiKey: { from: [{ header: { name: x-api-key } }], consumers: { namespaces: [partners], selector: { matchLabels: { partner: "true" } } } } }
    guest: { anonymous: {} }
  authorize:
    readers: { scopes: [books.read], when: 'request.method == "GET"' }
    not-suspended: { require: 'consumer.state == "Active"', deny: { status: 403, cause: suspended, detail: "Read-only; see the portal." } }
  forward: { headers: [{ name: x-user, value: "\${auth.claims.sub}" }], credential: strip }
  deny: { unauthenticated: { detail: "Get a key at the portal." }, forbidden: { detail: "Ask us." } }
---
kind: RateLimitPolicy
metadata: { name: shop, namespace: shop }
spec:
  targetRefs: [{ kind: ApiRoute, name: shop }]
  limits:
    per-partner: { key: auth.consumer, rate: 60/1m, burst: 20, rates: [{ when: '"gold" in auth.groups', rate: 600/1m }] }
    whole-api: { rate: 5000/1s }
    exports: { key: auth.consumer, rate: 10/1h, cost: 'request.path.startsWith("/export") ? 5 : 1' }
    in-flight: { key: request.ip, concurrency: 50, stage: beforeAuth }
  mode: enforce
  onStoreFailure: local
---
kind: Consumer
metadata: { name: acme, namespace: partners, labels: { partner: "true" } }
spec: { displayName: Acme, state: Active, groups: [gold], identities: [{ issuer: "https://id.example.com", claim: azp, value: acme-app }], externalIds: { stripe: cus_N123 } }
---
kind: ApiKey
metadata: { name: acme-1, namespace: partners }
spec: { consumerRef: { name: acme }, sha256: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", expiresAt: "2027-01-01T00:00:00Z" }
`

const KEY = 'fairlead-system/public'
const TABLE = 'fairlead-system/public'

test('the introduction as a whole runs', () => {
  const cluster = new Cluster().apply(...[AROUND, GATEWAY, ROUTE, POLICIES].flatMap(read))
  for (const id of [
    'ApiRoute shop/shop',
    'AuthPolicy shop/shop',
    'RateLimitPolicy shop/shop',
    'Consumer partners/acme',
    'ApiKey partners/acme-1',
    `ApiGateway ${KEY}`,
  ]) {
    assert.equal(cluster.accepted(id), 'Accepted', id)
  }
  const table = cluster.compiled.tables.get(TABLE)
  assert.ok(table !== undefined)
  assert.equal(check(table.objects), null)
  assert.deepEqual(
    cluster.host('shop.example.com', TABLE)?.entries.map(({ rule }) => rule),
    ['beta', 'ping', 'order-page', 'catalogue', 'gone'].map((name) => `shop/shop/${name}`),
  )
  for (const name of ['catalogue', 'order-page', 'beta', 'gone', 'ping']) {
    assert.equal(cluster.auth(`shop/shop/${name}`, TABLE), 'shop/shop/defaults')
  }
})

/** One field after the other, as the reference lists them. */
const RULE_FIELDS = `
cors: { origins: ["https://app.example.com"], methods: [GET], headers: [content-type], expose: [etag], credentials: true, maxAge: 10m }
addresses: { allow: [10.0.0.0/8], deny: [10.6.6.6/32] }
body: { max: 10Mi }
readBody: { max: 1Mi }
compression: { types: [application/json], minBytes: 1024 }
cache: { ttl: 60s, by: [consumer, "header:accept-language"], staleIfError: 10m, tags: [books] }
mirror: { backend: { service: { name: books, port: 80 } }, share: 5% }
affinity: { cookie: fl_sticky, lifetime: 1h }
faults: { delay: { share: 1%, for: 2s }, abort: { share: 1%, status: 503 } }
validate: { openapi: product, mode: enforce, parts: [path, query, headers, body] }
callout: { url: "http://checks.shop:8080", at: [request, response], body: { max: 64Ki }, timeout: 100ms, onFailure: deny }
retry: { attempts: 2, causes: [connect, reset], statuses: [502, 503, 504], perTry: 800ms }
timeouts: { total: 2s, firstByte: 1s, connect: 500ms, idle: 30s }
lifecycle: { deprecated: "2026-01-01T00:00:00Z", sunset: "2026-07-01T00:00:00Z", successor: "https://shop.example.com/v2", afterSunset: { redirect: { status: 308, path: /v2/** } }, brownouts: [{ from: "2026-06-01T10:00:00Z", for: 1h }] }
`

/** Fields of the page that do what it says; all others must say that they do not. */
const BUILT: ReadonlySet<string> = new Set([
  'cors',
  'addresses',
  'body',
  'compression',
  'mirror',
  'faults',
  'retry',
  'timeouts',
])

test('every field of a rule that is not built yet is told at its place, and closes its rule alone', () => {
  for (const [field, value] of Object.entries(read(RULE_FIELDS)[0] ?? {})) {
    const backends = [{ service: { name: 'books', port: 80 } }]
    const rules = [
      { name: 'fine', match: [{ path: '/fine' }], backends },
      { name: 'early', match: [{ path: '/early' }], backends, [field]: value },
    ]
    const cluster = new Cluster().apply(...read(AROUND), {
      kind: 'ApiRoute',
      metadata: { namespace: 'shop', name: 'shop' },
      spec: { public: true, rules },
    })
    const { problems } = cluster.verdict('ApiRoute shop/shop')
    if (BUILT.has(field)) {
      assert.deepEqual(problems, [], field)
      assert.equal(cluster.rule('shop/shop/early').action.kind, 'proxy', field)
      continue
    }
    assert.ok(problems.length > 0, field)
    for (const { path, reason } of problems) {
      assert.equal(reason, 'NotSupportedYet', `${field}: ${JSON.stringify(problems)}`)
      assert.ok(path.startsWith(`spec.rules[1].${field}`), path)
    }
    assert.equal(cluster.rule('shop/shop/early').action.kind, 'reject')
    assert.equal(cluster.rule('shop/shop/fine').action.kind, 'proxy')
  }
})
