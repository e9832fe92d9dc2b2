/**
 * Bad ApiRoutes: fields of traffic.ts one by one, with their types, bounds and spelling, and `tls`.
 */
import { type BadObject, badRoute, badRule, own } from './bad-object.ts'

const R = 'spec.rules[0]'
const SHADOW = { service: { name: 'shadow', port: 80 } }

function many<T>(count: number, item: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => item(i))
}

const CORS: readonly BadObject[] = [
  badRule(
    'cors: no origins',
    { cors: { origins: [] } },
    {
      path: `${R}.cors.origins`,
      says: 'At least one item',
      inCluster: own('should have at least 1 items'),
    },
  ),
  badRule(
    'cors: origins left out',
    { cors: { methods: ['GET'] } },
    {
      path: `${R}.cors.origins`,
      says: 'is required and missing',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'cors: an origin without a scheme',
    { cors: { origins: ['app.example.com'] } },
    { path: `${R}.cors.origins[0]`, says: 'Write an origin such as https://app.example.com' },
  ),
  badRule(
    'cors: 17 origins',
    { cors: { origins: many(17, (i) => `https://a${i}.example.com`) } },
    {
      path: `${R}.cors.origins`,
      says: 'At most 16 items are possible here',
      inCluster: own('must have at most 16 items'),
    },
  ),
  badRule(
    'cors: a method in lower case',
    { cors: { origins: ['*'], methods: ['get'] } },
    { path: `${R}.cors.methods[0]`, says: 'Write the method in upper case' },
  ),
  badRule(
    'cors: a header with a space',
    { cors: { origins: ['*'], headers: ['x y'] } },
    { path: `${R}.cors.headers[0]`, says: 'Write a header name such as x-tenant' },
  ),
  badRule(
    'cors: an exposed header with a colon',
    { cors: { origins: ['*'], expose: ['etag:'] } },
    { path: `${R}.cors.expose[0]`, says: 'Write a header name such as x-tenant' },
  ),
  badRule(
    'cors: a maxAge without a unit',
    { cors: { origins: ['*'], maxAge: '600' } },
    { path: `${R}.cors.maxAge`, says: 'Write a duration with its unit' },
  ),
  badRule(
    'cors: credentials as text',
    { cors: { origins: ['https://a.example.com'], credentials: 'yes' } },
    {
      path: `${R}.cors.credentials`,
      says: 'This must be true or false',
      inCluster: own('must be of type boolean'),
    },
  ),
  badRule(
    'cors: a field in lower case',
    { cors: { origins: ['*'], maxage: '10m' } },
    {
      path: `${R}.cors.maxage`,
      says: 'did you mean maxAge?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.rules[0].cors.maxage"'),
    },
  ),
]

const ADDRESSES: readonly BadObject[] = [
  badRule(
    'addresses: a name',
    { addresses: { deny: ['localhost/8'] } },
    { path: `${R}.addresses.deny[0]`, says: 'Write a range such as 10.0.0.0/8' },
  ),
  badRule(
    'addresses: a number',
    { addresses: { allow: [10] } },
    {
      path: `${R}.addresses.allow[0]`,
      says: 'This must be text',
      inCluster: own('must be of type string'),
    },
  ),
  badRule(
    'addresses: a length of 129',
    { addresses: { allow: ['fd00::/129'] } },
    { path: `${R}.addresses.allow[0]`, says: 'Write a range such as 10.0.0.0/8' },
  ),
  badRule(
    'addresses: 65 ranges',
    { addresses: { allow: many(65, (i) => `10.0.${i}.0/24`) } },
    {
      path: `${R}.addresses.allow`,
      says: 'At most 64 items are possible here',
      inCluster: own('must have at most 64 items'),
    },
  ),
]

const BODIES: readonly BadObject[] = [
  badRule(
    'body: no bound',
    { body: {} },
    { path: `${R}.body.max`, says: 'is required and missing', inCluster: own('Required value') },
  ),
  badRule(
    'body: a flag',
    { body: { max: true } },
    {
      path: `${R}.body.max`,
      says: 'This must be a number or text',
      inCluster: own('must be of type integer'),
    },
  ),
]

const FAULTS: readonly BadObject[] = [
  badRule(
    'faults: a delay without a time',
    { faults: { delay: { share: '1%' } } },
    {
      path: `${R}.faults.delay.for`,
      says: 'is required and missing',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'faults: a delay without a share',
    { faults: { delay: { for: '1s' } } },
    {
      path: `${R}.faults.delay.share`,
      says: 'is required and missing',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'faults: an abort that succeeds',
    { faults: { abort: { share: '1%', status: 200 } } },
    {
      path: `${R}.faults.abort.status`,
      says: 'write a number from 400 to 599',
      inCluster: own('should be greater than or equal to 400'),
    },
  ),
  badRule(
    'faults: a status as text',
    { faults: { abort: { share: '1%', status: '503' } } },
    {
      path: `${R}.faults.abort.status`,
      says: 'Write it without quotes: 503.',
      inCluster: own('must be of type integer'),
    },
  ),
  badRule(
    'faults: a share in words',
    { faults: { abort: { share: 'half', status: 503 } } },
    { path: `${R}.faults.abort.share`, says: 'Write a share with its sign' },
  ),
  badRule(
    'faults: a time without a unit',
    { faults: { delay: { share: '1%', for: '2' } } },
    { path: `${R}.faults.delay.for`, says: 'Write a duration with its unit' },
  ),
  badRule(
    'faults: a mistyped field',
    { faults: { delay: { share: '1%', for: '2s', fro: '1s' } } },
    {
      path: `${R}.faults.delay.fro`,
      says: 'did you mean for?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.rules[0].faults.delay.fro"'),
    },
  ),
]

const MIRROR: readonly BadObject[] = [
  badRule(
    'mirror: no backend',
    { mirror: { share: '5%' } },
    {
      path: `${R}.mirror.backend`,
      says: 'is required and missing',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'mirror: port 0',
    { mirror: { backend: { service: { name: 'shadow', port: 0 } } } },
    {
      path: `${R}.mirror.backend.service.port`,
      says: 'write a number from 1 to 65535',
      inCluster: own('should be greater than or equal to 1'),
    },
  ),
  badRule(
    'mirror: a Service in upper case',
    { mirror: { backend: { service: { name: 'Shadow', port: 80 } } } },
    { path: `${R}.mirror.backend.service.name`, says: 'Use the name of an object' },
  ),
  badRule(
    'mirror: a share that is a number',
    { mirror: { backend: SHADOW, share: 5 } },
    {
      path: `${R}.mirror.share`,
      says: 'This must be text',
      inCluster: own('must be of type string'),
    },
  ),
]

const COMPRESSION: readonly BadObject[] = [
  badRule(
    'compression: a type with a parameter',
    { compression: { types: ['text/html; charset=utf-8'] } },
    { path: `${R}.compression.types[0]`, says: 'Write a media type such as text/*' },
  ),
  badRule(
    'compression: less than nothing',
    { compression: { minBytes: -1 } },
    {
      path: `${R}.compression.minBytes`,
      says: 'write a number from 0 to 1048576',
      inCluster: own('should be greater than or equal to 0'),
    },
  ),
  badRule(
    'compression: more than a mebibyte',
    { compression: { minBytes: 1_048_577 } },
    {
      path: `${R}.compression.minBytes`,
      says: 'write a number from 0 to 1048576',
      inCluster: own('should be less than or equal to 1'),
    },
  ),
  badRule(
    'compression: a size with a unit',
    { compression: { minBytes: '1Ki' } },
    {
      path: `${R}.compression.minBytes`,
      says: 'This must be a whole number',
      inCluster: own('must be of type integer'),
    },
  ),
]

const CACHE: readonly BadObject[] = [
  badRule(
    'cache: no ttl',
    { cache: { shared: true } },
    { path: `${R}.cache.ttl`, says: 'is required and missing', inCluster: own('Required value') },
  ),
  badRule(
    'cache: a ttl without a unit',
    { cache: { ttl: '60' } },
    { path: `${R}.cache.ttl`, says: 'Write a duration with its unit' },
  ),
  badRule(
    'cache: a number as ttl',
    { cache: { ttl: 60 } },
    { path: `${R}.cache.ttl`, says: 'This must be text', inCluster: own('must be of type string') },
  ),
  badRule(
    'cache: a stale time in days',
    { cache: { ttl: '60s', staleIfError: '1d' } },
    { path: `${R}.cache.staleIfError`, says: 'Write a duration with its unit' },
  ),
  badRule(
    'cache: shared as text',
    { cache: { ttl: '60s', shared: 'true' } },
    {
      path: `${R}.cache.shared`,
      says: 'This must be true or false',
      inCluster: own('must be of type boolean'),
    },
  ),
  badRule(
    'cache: by a header without a name',
    { cache: { ttl: '60s', by: ['header:'] } },
    { path: `${R}.cache.by[0]`, says: 'Write consumer, header:NAME' },
  ),
  badRule(
    'cache: an empty tag',
    { cache: { ttl: '60s', tags: [''] } },
    { path: `${R}.cache.tags[0]`, says: 'This is empty', inCluster: own('at least 1 chars long') },
  ),
]

const TLS: readonly BadObject[] = [
  badRoute(
    'tls: no certificates',
    { tls: { certificates: [] } },
    {
      path: 'spec.tls.certificates',
      says: 'At least one item',
      inCluster: own('should have at least 1 items'),
    },
  ),
  badRoute(
    'tls: a certificate without its Secret',
    { tls: { certificates: [{}] } },
    {
      path: 'spec.tls.certificates[0].secretRef',
      says: 'is required and missing',
      inCluster: own('Required value'),
    },
  ),
  badRoute(
    'tls: 17 certificates',
    { tls: { certificates: many(17, (i) => ({ secretRef: { name: `c${i}` } })) } },
    {
      path: 'spec.tls.certificates',
      says: 'At most 16 items are possible here',
      inCluster: own('must have at most 16 items'),
    },
  ),
  badRoute(
    'tls: a key of the Secret',
    { tls: { certificates: [{ secretRef: { name: 'a', key: 'tls.crt' } }] } },
    {
      path: 'spec.tls.certificates[0].secretRef.key',
      says: 'There is no field "key" here',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.tls.certificates[0].secretRef.key"'),
    },
  ),
  badRoute(
    'tls: a name instead of a reference',
    { tls: { certificates: ['shop-tls'] } },
    {
      path: 'spec.tls.certificates[0]',
      says: 'This must be an object',
      inCluster: own('must be of type object'),
    },
  ),
  badRoute(
    'tls: an empty word',
    { tls: { http: '' } },
    {
      path: 'spec.tls.http',
      says: 'Possible: redirect, serve, refuse.',
      inCluster: own('Unsupported value: ""'),
    },
  ),
  badRoute(
    'tls: a version',
    { tls: { minVersion: '1.3' } },
    {
      path: 'spec.tls.minVersion',
      says: 'There is no field "minVersion" here',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.tls.minVersion"'),
    },
  ),
]

export const BAD_TRAFFIC_FIELDS: readonly BadObject[] = [
  ...CORS,
  ...ADDRESSES,
  ...BODIES,
  ...FAULTS,
  ...MIRROR,
  ...COMPRESSION,
  ...CACHE,
  ...TLS,
]
