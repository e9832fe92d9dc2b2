/**
 * Bad ApiRoutes: rules, their names and backends.
 */
import { type BadObject, BACKENDS, bad, badRule, own, routeOf, rule } from './bad-object.ts'

const R = 'spec.rules[0]'

export const BAD_RULES: readonly BadObject[] = [
  bad('ApiRoute', 'rule: two with one name', routeOf(rule({}), rule({})), {
    path: 'spec.rules[1]',
    says: 'Item 0 has the name "all" already',
    inCluster: own('Duplicate value'),
  }),
  badRule(
    'rule: no name',
    { name: undefined },
    {
      path: `${R}.name`,
      says: 'policies attach to the rule by it',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'rule: a name in upper case',
    { name: 'All' },
    {
      path: `${R}.name`,
      says: 'Use lower-case letters, digits and "-"',
    },
  ),
  badRule(
    'rule: a name that is a number',
    { name: 7 },
    {
      path: `${R}.name`,
      says: 'Put it in quotes: "7".',
      inCluster: own('must be of type string'),
    },
  ),
  badRule(
    'rule: an empty name',
    { name: '' },
    {
      path: `${R}.name`,
      says: 'This is empty',
      inCluster: own('at least 1 chars long'),
    },
  ),
  badRule(
    'rule: a name of 64 characters',
    { name: 'a'.repeat(64) },
    {
      path: `${R}.name`,
      says: 'At most 63 characters are possible here; there are 64.',
      inCluster: own('may not be more than 63 bytes'),
    },
  ),
  badRule(
    'rule: no match',
    { match: undefined },
    {
      path: `${R}.match`,
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badRule(
    'rule: one match instead of a list',
    { match: { path: '/' } },
    {
      path: `${R}.match`,
      says: 'This must be a list, and is an object. Example: [{ method: GET, path: /books/** }]',
      inCluster: own('unknown field "spec.rules[0].match.path"'),
    },
  ),
  badRule(
    'rule: nothing to do',
    { backends: undefined },
    {
      path: R,
      says: 'A rule does exactly one of backends, aggregate, respond, redirect, batch.',
    },
  ),
  badRule(
    'rule: two things to do',
    { respond: { status: 200 } },
    {
      path: R,
      says: 'A rule does exactly one of',
    },
  ),
  badRule(
    'rule: an unknown field',
    { tiemouts: { total: '2s' } },
    {
      path: `${R}.tiemouts`,
      says: 'did you mean timeouts?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.rules[0].tiemouts"'),
    },
  ),
  badRule(
    'rule: a word of Gateway API',
    { backends: undefined, respond: { status: 200 }, backendRefs: [] },
    {
      path: `${R}.backendRefs`,
      says: 'did you mean backends?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.rules[0].backendRefs"'),
    },
  ),
  badRule(
    'rule: a field called true',
    { true: 'x' },
    {
      path: `${R}.true`,
      says: 'YAML 1.1 makes of on, yes and y',
      inCluster: own('unknown field "spec.rules[0].true"'),
    },
  ),
  badRule(
    'rule: every backend has weight 0',
    {
      backends: [{ service: { name: 'books', port: 80 }, weight: 0 }],
    },
    { path: `${R}.backends`, says: 'nobody would answer' },
  ),
  badRule(
    'rule: a negative weight',
    { backends: [...BACKENDS, { ...BACKENDS[0], weight: -1 }] },
    {
      path: `${R}.backends[1].weight`,
      says: 'write a number from 0 to 1000000',
      inCluster: own('should be greater than or equal to 0'),
    },
  ),
  badRule(
    'rule: a port as text',
    { backends: [{ service: { name: 'books', port: '80' } }] },
    {
      path: `${R}.backends[0].service.port`,
      says: 'Write it without quotes: 80.',
      inCluster: own('must be of type integer'),
    },
  ),
  badRule(
    'rule: port 0',
    { backends: [{ service: { name: 'books', port: 0 } }] },
    {
      path: `${R}.backends[0].service.port`,
      says: 'write a number from 1 to 65535',
      inCluster: own('should be greater than or equal to 1'),
    },
  ),
  badRule(
    'rule: port 70000',
    { backends: [{ service: { name: 'books', port: 70_000 } }] },
    {
      path: `${R}.backends[0].service.port`,
      says: '70000 is not possible here',
      inCluster: own('should be less than or equal to 65535'),
    },
  ),
  badRule(
    'rule: a fractional port',
    { backends: [{ service: { name: 'books', port: 80.5 } }] },
    {
      path: `${R}.backends[0].service.port`,
      says: 'This must be a whole number, and is 80.5.',
      inCluster: own('must be of type integer'),
    },
  ),
  badRule(
    'rule: a backend without a service',
    { backends: [{ weight: 1 }] },
    {
      path: `${R}.backends[0]`,
      says: 'Write exactly one of service, apiBackend.',
    },
  ),
  badRule(
    'rule: an empty backend expression',
    { backends: [{ ...BACKENDS[0], when: '' }] },
    {
      path: `${R}.backends[0].when`,
      says: 'YAML reads an unquoted ! as a tag',
    },
  ),
  badRule(
    'rule: a template in place of an expression',
    {
      backends: [{ ...BACKENDS[0], when: '${ request.path }' }],
    },
    { path: `${R}.backends[0].when`, says: 'This field is one CEL expression: write it bare' },
  ),
]
