/**
 * Bad objects of the smaller kinds.
 */
import { type BadObject, bad, changed, own } from './bad-object.ts'

type Spec = { readonly [field: string]: unknown }

function gateway(changes: Spec): Spec {
  return changed({ dataPlanes: { serviceAccount: 'fairlead', service: 'fairlead' } }, changes)
}

const GATEWAYS: readonly BadObject[] = [
  bad('ApiGateway', 'gateway: no data planes', gateway({ dataPlanes: undefined }), {
    path: 'spec.dataPlanes',
    says: 'This field is required and missing.',
    inCluster: own('Required value'),
  }),
  bad(
    'ApiGateway',
    'gateway: two listeners with one name',
    gateway({
      listeners: [
        { name: 'http', port: 80, protocol: 'HTTP' },
        { name: 'http', port: 81, protocol: 'HTTP' },
      ],
    }),
    { path: 'spec.listeners', says: 'Two listeners have the same name' },
  ),
  bad(
    'ApiGateway',
    'gateway: two listeners with one port',
    gateway({
      listeners: [
        { name: 'a', port: 80, protocol: 'HTTP' },
        { name: 'b', port: 80, protocol: 'HTTP' },
      ],
    }),
    { path: 'spec.listeners', says: 'Two listeners have the same port' },
  ),
  bad(
    'ApiGateway',
    'gateway: a protocol in lower case',
    gateway({
      listeners: [{ name: 'a', port: 80, protocol: 'http' }],
    }),
    {
      path: 'spec.listeners[0].protocol',
      says: 'did you mean HTTP?',
      inCluster: own('Unsupported value: "http"'),
    },
  ),
  bad(
    'ApiGateway',
    'gateway: a grant without namespaces',
    gateway({
      hosts: { grants: [{ host: 'a.example', namespaces: [] }] },
    }),
    {
      path: 'spec.hosts.grants[0].namespaces',
      says: 'At least one item is needed here.',
      inCluster: own('should have at least 1 items'),
    },
  ),
  bad(
    'ApiGateway',
    'gateway: a grant of a URL',
    gateway({
      hosts: { grants: [{ host: 'https://a.example', namespaces: ['a'] }] },
    }),
    { path: 'spec.hosts.grants[0].host', says: 'or * for routes without hosts' },
  ),
  bad(
    'ApiGateway',
    'gateway: an unknown word for ungranted hosts',
    gateway({
      hosts: { ungranted: 'first' },
    }),
    {
      path: 'spec.hosts.ungranted',
      says: 'Possible: firstCome, refuse.',
      inCluster: own('Unsupported value: "first"'),
    },
  ),
  bad(
    'ApiGateway',
    'gateway: a proxy that is no range',
    gateway({ trustedProxies: ['10.0.0.1'] }),
    {
      path: 'spec.trustedProxies[0]',
      says: 'Write a range such as 10.0.0.0/8',
    },
  ),
  bad(
    'ApiGateway',
    'gateway: a destination that is a URL',
    gateway({
      egress: { allow: ['https://id.example.com'] },
    }),
    { path: 'spec.egress.allow[0]', says: 'Write a host such as id.example.com' },
  ),
  bad('ApiGateway', 'gateway: a negative epoch', gateway({ epoch: -1 }), {
    path: 'spec.epoch',
    says: 'write a number from 0 to 1000000',
    inCluster: own('should be greater than or equal to 0'),
  }),
]

const SERVICE = { name: 'books', port: 80 }

const BACKENDS: readonly BadObject[] = [
  bad(
    'ApiBackend',
    'backend: without a Service',
    {},
    {
      path: 'spec.service',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  bad(
    'ApiBackend',
    'backend: a circuit without a bound',
    { service: SERVICE, circuit: {} },
    { path: 'spec.circuit', says: 'Write a bound' },
  ),
  bad(
    'ApiBackend',
    'backend: a circuit that lets nothing through',
    { service: SERVICE, circuit: { requests: 0 } },
    {
      path: 'spec.circuit.requests',
      says: 'write a number from 1 to 1000000',
      inCluster: own('should be greater than or equal to 1'),
    },
  ),
  bad(
    'ApiBackend',
    'backend: a panic without outliers',
    { service: SERVICE, health: { panic: '50%' } },
    {
      path: 'spec.health.outliers',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
]

const IDENTITY = { issuer: 'https://id.example.com', claim: 'azp', value: 'acme-app' }

const CONSUMERS: readonly BadObject[] = [
  bad(
    'Consumer',
    'consumer: an unknown state',
    { state: 'active' },
    {
      path: 'spec.state',
      says: 'did you mean Active?',
      inCluster: own('Unsupported value: "active"'),
    },
  ),
  bad(
    'Consumer',
    'consumer: an identity without a value',
    {
      identities: [{ issuer: 'https://id.example.com', claim: 'azp' }],
    },
    { path: 'spec.identities[0]', says: 'Write issuer, claim and value, or a certificate.' },
  ),
  bad(
    'Consumer',
    'consumer: an identity that is two',
    {
      identities: [{ ...IDENTITY, certificate: { san: 'spiffe://acme.example/app' } }],
    },
    { path: 'spec.identities[0]', says: 'A certificate stands alone' },
  ),
  bad(
    'Consumer',
    'consumer: a group with a space',
    { groups: ['gold tier'] },
    {
      path: 'spec.groups[0]',
      says: 'The name of a group has no spaces.',
    },
  ),
  bad(
    'Consumer',
    'consumer: one group instead of a list',
    { groups: 'gold' },
    {
      path: 'spec.groups',
      says: 'This must be a list, and is "gold". Example: [gold]',
      inCluster: own('must be of type array'),
    },
  ),
  bad(
    'Consumer',
    'consumer: a system with a slash',
    { externalIds: { 'a/b': 'x' } },
    {
      path: 'spec.externalIds',
      says: 'Name the system with letters',
      inCluster: own('Name the system with letters'),
    },
  ),
  bad(
    'Consumer',
    'consumer: an external id that is a number',
    { externalIds: { stripe: 12 } },
    {
      path: 'spec.externalIds.stripe',
      says: 'Put it in quotes: "12".',
      inCluster: own('must be of type string'),
    },
  ),
  bad(
    'Consumer',
    'consumer: a member without an address',
    {
      members: [{ issuer: 'https://id.example.com', email: 'ada' }],
    },
    { path: 'spec.members[0].email', says: 'Write an e-mail address.' },
  ),
]

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const KEY = { consumerRef: { name: 'acme' }, sha256: HASH }

const API_KEYS: readonly BadObject[] = [
  bad(
    'ApiKey',
    'key: the key itself',
    { ...KEY, sha256: `fl_${'a'.repeat(49)}` },
    {
      path: 'spec.sha256',
      says: 'never the key itself',
    },
  ),
  bad(
    'ApiKey',
    'key: a hash in upper case',
    { ...KEY, sha256: HASH.toUpperCase() },
    {
      path: 'spec.sha256',
      says: 'Write the 64 lower-case hex digits',
    },
  ),
  bad(
    'ApiKey',
    'key: of nobody',
    { sha256: HASH },
    {
      path: 'spec.consumerRef',
      says: 'Whose key it is.',
      inCluster: own('Required value'),
    },
  ),
  bad(
    'ApiKey',
    'key: a consumer as text',
    { ...KEY, consumerRef: 'acme' },
    {
      path: 'spec.consumerRef',
      says: 'Example: { name: acme }',
      inCluster: own('must be of type object'),
    },
  ),
  bad(
    'ApiKey',
    'key: an end that is no moment',
    { ...KEY, expiresAt: 'tomorrow' },
    {
      path: 'spec.expiresAt',
      says: 'Write a moment as RFC 3339 does',
    },
  ),
  bad(
    'ApiKey',
    'key: an unknown format',
    { ...KEY, format: 'foreign' },
    {
      path: 'spec.format',
      says: 'Possible: fairlead, imported.',
      inCluster: own('Unsupported value: "foreign"'),
    },
  ),
  bad(
    'ApiKey',
    'key: a secret in the spec',
    { ...KEY, key: 'fl_x' },
    {
      path: 'spec.key',
      says: 'There is no field "key" here',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.key"'),
    },
  ),
]

const OF = { kind: 'ApiRoute', name: 'shop', uid: 'u', generation: 1 }
const FROM = { group: 'fairlead.dev', kind: 'ApiRoute', namespace: 'shop' }

const REST: readonly BadObject[] = [
  bad(
    'LastValid',
    'memory: of another kind',
    { of: { ...OF, kind: 'Secret' }, spec: {} },
    {
      path: 'spec.of.kind',
      says: 'Possible: ApiRoute, AuthPolicy, RateLimitPolicy.',
      inCluster: own('Unsupported value: "Secret"'),
    },
  ),
  bad(
    'LastValid',
    'memory: of nothing',
    { of: OF },
    {
      path: 'spec.spec',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  bad(
    'ReferenceGrant',
    'grant: to nobody',
    { from: [FROM] },
    {
      path: 'spec.to',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  bad(
    'ReferenceGrant',
    'grant: a namespace that is none',
    {
      from: [{ ...FROM, namespace: '*' }],
      to: [{ group: '', kind: 'Service' }],
    },
    { path: 'spec.from[0].namespace', says: 'Use lower-case letters' },
  ),
]

export const BAD_OTHERS: readonly BadObject[] = [
  ...GATEWAYS,
  ...BACKENDS,
  ...CONSUMERS,
  ...API_KEYS,
  ...REST,
]
