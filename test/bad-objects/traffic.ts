/**
 * Bad ApiRoutes: what a rule may ask for besides its answer.
 */
import { type BadObject, badRule, own } from './bad-object.ts'

const R = 'spec.rules[0]'
const NOT_BACKENDS = { backends: undefined }

export const BAD_TRAFFIC: readonly BadObject[] = [
  badRule(
    'cors: credentials for everybody',
    { cors: { origins: ['*'], credentials: true } },
    {
      path: `${R}.cors.origins`,
      says: 'Browsers refuse credentials for "*"',
    },
  ),
  badRule(
    'cors: an origin with a path',
    { cors: { origins: ['https://app.example.com/'] } },
    {
      path: `${R}.cors.origins[0]`,
      says: 'Write an origin such as https://app.example.com, without a path',
    },
  ),
  badRule(
    'addresses: neither',
    { addresses: {} },
    {
      path: `${R}.addresses`,
      says: 'Write allow, deny or both.',
    },
  ),
  badRule(
    'addresses: an address without a length',
    { addresses: { allow: ['10.0.0.1'] } },
    {
      path: `${R}.addresses.allow[0]`,
      says: 'one address is 10.6.6.6/32',
    },
  ),
  badRule(
    'addresses: a length of 33',
    { addresses: { deny: ['10.0.0.0/33'] } },
    {
      path: `${R}.addresses.deny[0]`,
      says: 'Write a range such as 10.0.0.0/8',
    },
  ),
  badRule(
    'body: no size',
    { body: { max: '10 MB' } },
    {
      path: `${R}.body.max`,
      says: 'Write a size such as 64Ki, 10Mi or 1048576 (bytes).',
      inCluster: own('should match'),
    },
  ),
  badRule(
    'body: a negative size',
    { readBody: { max: -1 } },
    {
      path: `${R}.readBody.max`,
      says: 'Write a size such as 64Ki',
      inCluster: own('should be greater than or equal to 0'),
    },
  ),
  badRule(
    'compression: no media type',
    { compression: { types: ['json'] } },
    {
      path: `${R}.compression.types[0]`,
      says: 'Write a media type such as text/* or application/json.',
    },
  ),
  badRule(
    'cache: by something else',
    { cache: { ttl: '60s', by: ['cookie:a'] } },
    {
      path: `${R}.cache.by[0]`,
      says: 'Write consumer, header:NAME, query:NAME or claim:NAME.',
    },
  ),
  badRule(
    'cache: a tag with a space',
    { cache: { ttl: '60s', tags: ['a b'] } },
    {
      path: `${R}.cache.tags[0]`,
      says: 'Write a word such as books.',
    },
  ),
  badRule(
    'mirror: a share without its sign',
    {
      mirror: { backend: { service: { name: 'shadow', port: 80 } }, share: '5' },
    },
    {
      path: `${R}.mirror.share`,
      says: 'Write a share with its sign, such as 5%',
    },
  ),
  badRule(
    'mirror: more than all',
    {
      mirror: { backend: { service: { name: 'shadow', port: 80 } }, share: '101%' },
    },
    { path: `${R}.mirror.share`, says: 'Write a share with its sign' },
  ),
  badRule(
    'mirror: without backends',
    {
      ...NOT_BACKENDS,
      respond: { status: 200 },
      mirror: { backend: { service: { name: 'shadow', port: 80 } } },
    },
    { path: R, says: 'mirror copies what goes to backends' },
  ),
  badRule(
    'affinity: cookie and by',
    { affinity: { cookie: 'a', by: 'request.ip' } },
    {
      path: `${R}.affinity`,
      says: 'Write exactly one of cookie, by.',
    },
  ),
  badRule(
    'affinity: a lifetime without a cookie',
    { affinity: { by: 'request.ip', lifetime: '1h' } },
    {
      path: `${R}.affinity`,
      says: 'lifetime belongs to a cookie',
    },
  ),
  badRule(
    'affinity: a cookie with a semicolon',
    { affinity: { cookie: 'a;b' } },
    {
      path: `${R}.affinity.cookie`,
      says: 'Use letters, digits and',
    },
  ),
  badRule(
    'affinity: without backends',
    {
      ...NOT_BACKENDS,
      respond: { status: 200 },
      affinity: { cookie: 'a' },
    },
    { path: R, says: 'affinity chooses among endpoints of backends' },
  ),
  badRule(
    'faults: none',
    { faults: {} },
    {
      path: `${R}.faults`,
      says: 'Write delay, abort or both.',
    },
  ),
  badRule(
    'validate: an unknown part',
    { validate: { openapi: 'product', parts: ['querry'] } },
    {
      path: `${R}.validate.parts[0]`,
      says: 'did you mean query?',
      inCluster: own('Unsupported value: "querry"'),
    },
  ),
  badRule(
    'callout: a URL without a scheme',
    { callout: { url: 'checks.shop:8080', at: ['request'] } },
    {
      path: `${R}.callout.url`,
      says: 'Write an absolute URL',
    },
  ),
  badRule(
    'lifecycle: the sunset comes first',
    {
      lifecycle: { deprecated: '2026-07-01T00:00:00Z', sunset: '2026-01-01T00:00:00Z' },
    },
    { path: `${R}.lifecycle.sunset`, says: 'The sunset is not before the deprecation.' },
  ),
  badRule(
    'lifecycle: a date without a time',
    { lifecycle: { sunset: '2026-07-01' } },
    {
      path: `${R}.lifecycle.sunset`,
      says: 'Write a moment as RFC 3339 does',
    },
  ),
  badRule(
    'lifecycle: brownouts without a sunset',
    {
      lifecycle: { brownouts: [{ from: '2026-06-01T10:00:00Z', for: '1h' }] },
    },
    { path: `${R}.lifecycle`, says: 'brownouts need a sunset.' },
  ),
  badRule(
    'lifecycle: an end without a sunset',
    { lifecycle: { afterSunset: { serve: true } } },
    {
      path: `${R}.lifecycle`,
      says: 'afterSunset needs a sunset.',
    },
  ),
  badRule(
    'lifecycle: two ends',
    {
      lifecycle: {
        sunset: '2026-07-01T00:00:00Z',
        afterSunset: { serve: true, redirect: { path: '/v2/**' } },
      },
    },
    { path: `${R}.lifecycle.afterSunset`, says: 'Write exactly one of redirect, serve.' },
  ),
  badRule(
    'lifecycle: an end that is not served',
    {
      lifecycle: { sunset: '2026-07-01T00:00:00Z', afterSunset: { serve: false } },
    },
    { path: `${R}.lifecycle.afterSunset.serve`, says: 'Write serve: true, or redirect.' },
  ),
  badRule(
    'allowPath: an unknown form',
    { allowPath: ['semicolons'] },
    {
      path: `${R}.allowPath[0]`,
      says: 'did you mean semicolon?',
      inCluster: own('Unsupported value: "semicolons"'),
    },
  ),
]
