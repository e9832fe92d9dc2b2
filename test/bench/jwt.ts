/**
 * What every protected API pays: an RS256 token that was seen before, a header made from a claim and
 * a local limit; beside Envoy with its JWT filter, whose cache is on, and its local rate limit.
 */
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { round, table } from './figures.ts'
import { CONNECTIONS, compare, ROUNDS, SECONDS, wrk } from './load.ts'
import { envoyPeer, PLAIN as ENVOY_PLAIN } from './peers/envoy.ts'
import { fairleadPeer, PLAIN as FAIRLEAD_PLAIN } from './peers/fairlead.ts'
import { startBackend } from './peers/nginx.ts'
import { SMALL_JSON } from './proxy.ts'
import { onStage } from './run.ts'

const GOAL = 0.75
const ISSUER = 'https://id.example.com'

interface Token {
  readonly compact: string
  readonly jwk: unknown
}

async function token(): Promise<Token> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const compact = await new SignJWT({ tenant: 'acme', scope: 'books:read' })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setIssuer(ISSUER)
    .setSubject('reader')
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(privateKey)
  return { compact, jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256' } }
}

export function jwt(): Promise<readonly string[]> {
  return onStage(async (stage) => {
    const { compact, jwk } = await token()
    const backend = await startBackend(stage, SMALL_JSON)
    const headers = { authorization: `Bearer ${compact}` }
    const envoy = { ...ENVOY_PLAIN, filters: envoyFilters(jwk), readyPath: '/open' }
    const fairlead = {
      ...FAIRLEAD_PLAIN,
      files: { 'a.yaml': fairleadText(jwk) },
      ready: { path: '/books', headers },
    }
    const peers = [
      await envoyPeer(stage, backend, envoy),
      await fairleadPeer(stage, backend, fairlead),
    ]
    const load = { path: '/books', headers: [`authorization: ${headers.authorization}`], more: [] }
    const results = await compare(peers, (peer) => wrk(peer, load))
    const ratio =
      (results.get('Fairlead')?.cpuUs ?? Number.NaN) / (results.get('Envoy')?.cpuUs ?? Number.NaN)
    const rows = [...results].map(([name, { perSecond, cpuUs }]) => [
      name,
      Math.round(perSecond),
      round(cpuUs),
    ])
    return [
      `RS256 token (cached), a header from a claim, a local limit; ${CONNECTIONS} connections, medians of ${ROUNDS} rounds of ${SECONDS} s in turn.`,
      '',
      ...table(['gateway', 'requests/s on one core', 'CPU µs per request'], rows),
      '',
      `Verdict: ${round(ratio, 2)} × Envoy (goal ${GOAL}${ratio <= GOAL ? '' : ', missed'}).`,
    ]
  })
}

function fairleadText(jwk: unknown): string {
  return `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: shop }
spec:
  rules:
  - name: books
    match: [{ path: /books }]
    backends: [{ service: { name: books, port: 80 } }]
---
apiVersion: fairlead.dev/v1alpha1
kind: AuthPolicy
metadata: { name: shop }
spec:
  targetRefs: [{ kind: ApiRoute, name: shop }]
  authenticate: { staff: { jwt: { issuer: "${ISSUER}", keys: [${JSON.stringify(jwk)}] } } }
  forward: { headers: [{ name: x-tenant, value: "\${auth.claims.tenant}" }] }
---
apiVersion: fairlead.dev/v1alpha1
kind: RateLimitPolicy
metadata: { name: shop }
spec:
  targetRefs: [{ kind: ApiRoute, name: shop }]
  limits: { all: { rate: 1000000/1s, burst: 1000000, accuracy: local } }
`
}

const TYPE = 'type.googleapis.com/envoy.extensions.filters.http'

function envoyFilters(jwk: unknown): readonly unknown[] {
  return [
    {
      name: 'envoy.filters.http.jwt_authn',
      typed_config: {
        '@type': `${TYPE}.jwt_authn.v3.JwtAuthentication`,
        providers: {
          staff: {
            issuer: ISSUER,
            local_jwks: { inline_string: JSON.stringify({ keys: [jwk] }) },
            claim_to_headers: [{ header_name: 'x-tenant', claim_name: 'tenant' }],
            jwt_cache_config: { jwt_cache_size: 1000 },
          },
        },
        rules: [{ match: { path: '/books' }, requires: { provider_name: 'staff' } }],
      },
    },
    {
      name: 'envoy.filters.http.local_ratelimit',
      typed_config: {
        '@type': `${TYPE}.local_ratelimit.v3.LocalRateLimit`,
        stat_prefix: 'limit',
        token_bucket: { max_tokens: 1_000_000, tokens_per_fill: 1_000_000, fill_interval: '1s' },
        filter_enabled: { default_value: { numerator: 100, denominator: 'HUNDRED' } },
        filter_enforced: { default_value: { numerator: 100, denominator: 'HUNDRED' } },
      },
    },
  ]
}
