/**
 * Bad RateLimitPolicies.
 */
import { type BadObject, bad, badLimit, own, policy } from './bad-object.ts'

export const BAD_RATE_LIMIT_POLICIES: readonly BadObject[] = [
  badLimit(
    'limit: rate and concurrency',
    { rate: '60/1m', concurrency: 5 },
    {
      path: '~',
      says: 'Write exactly one of rate, concurrency, disabled.',
    },
  ),
  badLimit(
    'limit: neither',
    { key: 'auth.consumer' },
    {
      path: '~',
      says: 'Write exactly one of rate, concurrency, disabled.',
    },
  ),
  badLimit(
    'limit: a rate without a period',
    { rate: '60' },
    {
      path: '~.rate',
      says: 'Write a number and a duration, such as 60/1m',
    },
  ),
  badLimit(
    'limit: a rate without the number of its unit',
    { rate: '60/m' },
    {
      path: '~.rate',
      says: 'Write a number and a duration, such as 60/1m',
    },
  ),
  badLimit(
    'limit: a rate of nothing',
    { rate: '0/1m' },
    {
      path: '~.rate',
      says: 'Write a number and a duration, such as 60/1m',
    },
  ),
  badLimit(
    'limit: a rate that is a number',
    { rate: 60 },
    {
      path: '~.rate',
      says: 'This must be text, and is 60.',
      inCluster: own('must be of type string'),
    },
  ),
  badLimit(
    'limit: a burst for a concurrency limit',
    { concurrency: 5, burst: 5 },
    {
      path: '~',
      says: 'burst belongs to a rate.',
    },
  ),
  badLimit(
    'limit: rates without a rate',
    { concurrency: 5, rates: [{ when: 'true', rate: '1/1s' }] },
    {
      path: '~',
      says: 'rates need a rate for those to whom none of them applies.',
    },
  ),
  badLimit(
    'limit: a cost for a concurrency limit',
    { concurrency: 5, cost: '2' },
    {
      path: '~',
      says: 'cost belongs to a rate',
    },
  ),
  badLimit(
    'limit: a cost that is a number',
    { rate: '60/1m', cost: 2 },
    {
      path: '~.cost',
      says: 'Put it in quotes: "2".',
      inCluster: own('must be of type string'),
    },
  ),
  badLimit(
    'limit: disabled with a key',
    { disabled: true, key: 'auth.consumer' },
    {
      path: '~',
      says: 'A disabled entry has nothing else in it.',
    },
  ),
  badLimit(
    'limit: disabled is false',
    { disabled: false },
    {
      path: '~.disabled',
      says: 'Write disabled: true to remove an inherited entry',
    },
  ),
  badLimit(
    'limit: nobody is known yet',
    { rate: '60/1m', key: 'auth.consumer', stage: 'beforeAuth' },
    {
      path: '~.key',
      says: 'Before authentication nobody is known',
    },
  ),
  badLimit(
    'limit: a template as key',
    { rate: '60/1m', key: '${auth.consumer}' },
    {
      path: '~.key',
      says: 'write it bare, as auth.consumer',
      inCluster: own('write it bare'),
    },
  ),
  badLimit(
    'limit: an unknown accuracy',
    { rate: '60/1m', accuracy: 'exakt' },
    {
      path: '~.accuracy',
      says: 'did you mean exact?',
      inCluster: own('Unsupported value: "exakt"'),
    },
  ),
  badLimit(
    'limit: a burst of 0',
    { rate: '60/1m', burst: 0 },
    {
      path: '~.burst',
      says: 'write a number from 1 to 1000000000',
      inCluster: own('should be greater than or equal to 1'),
    },
  ),
  badLimit(
    'limit: a condition without a rate',
    { rate: '60/1m', rates: [{ when: 'true' }] },
    {
      path: '~.rates[0].rate',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badLimit(
    'limit: an unknown field',
    { rate: '60/1m', brust: 5 },
    {
      path: '~.brust',
      says: 'did you mean burst?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.limits.all.brust"'),
    },
  ),
  bad(
    'RateLimitPolicy',
    'limits: an entry with a dot',
    policy({ limits: { 'a.b': { rate: '1/1s' } } }),
    {
      path: 'spec.limits',
      says: 'Name the entry with lower-case letters',
      inCluster: own('Name the entry with lower-case letters'),
    },
  ),
  bad(
    'RateLimitPolicy',
    'limits: an entry called false',
    policy({ limits: { false: { rate: '1/1s' } } }),
    {
      path: 'spec.limits.false',
      says: 'YAML 1.1 makes of off, no and n',
      inCluster: own('YAML 1.1 reads on, off, yes, no, y, n as true and false', 'spec.limits'),
    },
  ),
  bad(
    'RateLimitPolicy',
    'limits: an entry called off, as kubectl would not send it',
    policy({ limits: { off: { rate: '1/1s' } } }),
    {
      path: 'spec.limits',
      says: 'YAML 1.1 reads on, off, yes, no, y, n as true and false',
    },
  ),
  bad(
    'RateLimitPolicy',
    'limits: defaults without limits',
    policy({ defaults: { mode: 'observe' } }),
    {
      path: 'spec.defaults',
      says: 'Nothing is limited here: write limits.',
    },
  ),
  bad(
    'RateLimitPolicy',
    'limits: bare fields and defaults',
    policy({
      limits: { all: { rate: '1/1s' } },
      defaults: { limits: { all: { rate: '1/1s' } } },
    }),
    { path: 'spec', says: 'bare or under defaults, not both' },
  ),
  bad('RateLimitPolicy', 'limits: nothing', policy({}), {
    path: 'spec',
    says: 'The policy states nothing',
  }),
  bad('RateLimitPolicy', 'limits: only a mode', policy({ mode: 'observe' }), {
    path: 'spec',
    says: 'mode says how limits work, and there are none beside it',
  }),
  bad(
    'RateLimitPolicy',
    'limits: only what a missing store does',
    policy({ onStoreFailure: 'deny' }),
    {
      path: 'spec',
      says: 'onStoreFailure says how limits work',
    },
  ),
  bad(
    'RateLimitPolicy',
    'limits: only what a missing key does',
    policy({ onMissingKey: 'shared' }),
    {
      path: 'spec',
      says: 'onMissingKey says how limits work',
    },
  ),
]
