/**
 * Bad ApiRoutes: fixed answers, headers, timeouts and retries.
 */
import { type BadObject, DROPPED, badRule, own } from './bad-object.ts'

const R = 'spec.rules[0]'
const NOT_BACKENDS = { backends: undefined }

const ANSWERS: readonly BadObject[] = [
  badRule(
    'redirect: nothing changes',
    { ...NOT_BACKENDS, redirect: { status: 308 } },
    {
      path: `${R}.redirect`,
      says: 'A redirect must change something',
    },
  ),
  badRule(
    'redirect: a status that is none',
    { ...NOT_BACKENDS, redirect: { status: 304, path: '/a' } },
    {
      path: `${R}.redirect.status`,
      says: 'Write 301, 302, 303, 307 or 308.',
    },
  ),
  badRule(
    'redirect: to a wildcard',
    { ...NOT_BACKENDS, redirect: { host: '*.example.com' } },
    {
      path: `${R}.redirect.host`,
      says: 'Write one host in lower case',
    },
  ),
  badRule(
    'redirect: an unknown scheme',
    { ...NOT_BACKENDS, redirect: { scheme: 'htps' } },
    {
      path: `${R}.redirect.scheme`,
      says: 'did you mean https?',
      inCluster: own('Unsupported value: "htps"'),
    },
  ),
  badRule(
    'respond: no status',
    { ...NOT_BACKENDS, respond: { body: 'pong' } },
    {
      path: `${R}.respond.status`,
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'respond: status 100',
    { ...NOT_BACKENDS, respond: { status: 100 } },
    {
      path: `${R}.respond.status`,
      says: 'write a number from 200 to 599',
      inCluster: own('should be greater than or equal to 200'),
    },
  ),
  badRule(
    'respond: a body that is structure',
    { ...NOT_BACKENDS, respond: { status: 200, body: { a: 1 } } },
    {
      path: `${R}.respond.body`,
      says: 'This must be text, and is an object.',
      inCluster: own('unknown field "spec.rules[0].respond.body.a"'),
    },
  ),
  badRule(
    'respond: a body that is null',
    { ...NOT_BACKENDS, respond: { status: 200, body: null } },
    {
      path: `${R}.respond.body`,
      says: 'A key with nothing after it is null in YAML.',
      inCluster: DROPPED,
    },
  ),
  badRule(
    'respond: a body of 70,000 characters',
    {
      ...NOT_BACKENDS,
      respond: { status: 200, body: 'a'.repeat(70_000) },
    },
    {
      path: `${R}.respond.body`,
      says: 'At most 65536 characters',
      inCluster: own('may not be more than 65536 bytes'),
    },
  ),
  badRule(
    'batch: none at once',
    { ...NOT_BACKENDS, batch: { max: 0 } },
    {
      path: `${R}.batch.max`,
      says: 'write a number from 1 to 100',
      inCluster: own('should be greater than or equal to 1'),
    },
  ),
]

const EDITS: readonly BadObject[] = [
  badRule(
    'headers: Host is set',
    { requestHeaders: { set: [{ name: 'Host', value: 'x' }] } },
    {
      path: `${R}.requestHeaders.set[0].name`,
      says: 'for Host use rewrite.host',
    },
  ),
  badRule(
    'headers: one of ours is added',
    {
      responseHeaders: { add: [{ name: 'X-Fairlead-Cause', value: 'x' }] },
    },
    { path: `${R}.responseHeaders.add[0].name`, says: 'x-fairlead-* belong to the gateway' },
  ),
  badRule(
    'headers: a map instead of a list',
    { requestHeaders: { set: { 'x-tenant': 'a' } } },
    {
      path: `${R}.requestHeaders.set`,
      says: 'Example: [{ name: x-tenant, value: "${auth.claims.tenant}" }]',
      inCluster: own('unknown field "spec.rules[0].requestHeaders.set.x-tenant"'),
    },
  ),
  badRule(
    'headers: a value that is a number',
    {
      requestHeaders: { set: [{ name: 'x-a', value: 1 }] },
    },
    {
      path: `${R}.requestHeaders.set[0].value`,
      says: 'Put it in quotes: "1".',
      inCluster: own('must be of type string'),
    },
  ),
  badRule(
    'headers: no value',
    { requestHeaders: { set: [{ name: 'x-a' }] } },
    {
      path: `${R}.requestHeaders.set[0].value`,
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'headers: a name of 65 characters',
    {
      requestHeaders: { remove: ['a'.repeat(65)] },
    },
    {
      path: `${R}.requestHeaders.remove[0]`,
      says: 'At most 64 characters',
      inCluster: own('may not be more than 64 bytes'),
    },
  ),
  badRule(
    'rewrite: a path without its slash',
    { rewrite: { path: 'v2/**' } },
    {
      path: `${R}.rewrite.path`,
      says: 'A path starts with "/".',
    },
  ),
  badRule(
    'rewrite: a host with a path',
    { rewrite: { host: 'search.internal/x' } },
    {
      path: `${R}.rewrite.host`,
      says: 'no wildcard, scheme or path',
    },
  ),
]

const TRIES: readonly BadObject[] = [
  badRule(
    'timeouts: a number without its unit',
    { timeouts: { total: '5' } },
    {
      path: `${R}.timeouts.total`,
      says: '"5" is not possible here. Write a duration with its unit',
      inCluster: { kind: 'own', says: 'Write a duration with its unit' },
    },
  ),
  badRule(
    'timeouts: a bare number',
    { timeouts: { total: 5 } },
    {
      path: `${R}.timeouts.total`,
      says: 'This must be text, and is 5.',
      inCluster: own('must be of type string'),
    },
  ),
  badRule(
    'timeouts: days',
    { timeouts: { idle: '1d' } },
    {
      path: `${R}.timeouts.idle`,
      says: 'such as 500ms, 2s, 1m30s or 24h',
    },
  ),
  badRule(
    'retry: an unknown cause',
    { retry: { attempts: 2, causes: ['conect'] } },
    {
      path: `${R}.retry.causes[0]`,
      says: 'did you mean connect?',
      inCluster: own('Unsupported value: "conect"'),
    },
  ),
  badRule(
    'retry: 11 attempts',
    { retry: { attempts: 11 } },
    {
      path: `${R}.retry.attempts`,
      says: 'write a number from 1 to 10',
      inCluster: own('should be less than or equal to 10'),
    },
  ),
  badRule(
    'retry: a status that is no failure',
    { retry: { attempts: 2, statuses: [200] } },
    {
      path: `${R}.retry.statuses[0]`,
      says: 'write a number from 400 to 599',
      inCluster: own('should be greater than or equal to 400'),
    },
  ),
  badRule(
    'retry: a budget without its sign',
    { retry: { attempts: 2, budget: '20' } },
    { path: `${R}.retry.budget`, says: 'Write a share with its sign' },
  ),
  badRule(
    'hedge: a number without its unit',
    { hedge: { after: '200' } },
    { path: `${R}.hedge.after`, says: 'Write a duration with its unit' },
  ),
  badRule(
    'hedge: without backends',
    { ...NOT_BACKENDS, respond: { status: 200 }, hedge: { after: '1s' } },
    { path: R, says: 'hedge is for backends' },
  ),
  badRule(
    'retry: without backends',
    {
      ...NOT_BACKENDS,
      respond: { status: 200 },
      retry: { attempts: 2 },
    },
    { path: R, says: 'retry is for backends' },
  ),
]

export const BAD_ANSWERS: readonly BadObject[] = [...ANSWERS, ...EDITS, ...TRIES]
