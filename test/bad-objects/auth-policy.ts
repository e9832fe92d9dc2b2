/**
 * Bad AuthPolicies: targets, parts, conditions, answers.
 */
import { type BadObject, bad, badAuthorize, own, policy } from './bad-object.ts'

const GUEST = { authenticate: { guest: { anonymous: {} } } }

const TARGETS: readonly BadObject[] = [
  bad(
    'AuthPolicy',
    'targets: none',
    { ...GUEST },
    {
      path: 'spec.targetRefs',
      says: 'What the policy applies to.',
      inCluster: own('Required value'),
    },
  ),
  bad(
    'AuthPolicy',
    'targets: an empty list',
    { ...GUEST, targetRefs: [] },
    {
      path: 'spec.targetRefs',
      says: 'At least one item is needed here.',
      inCluster: own('should have at least 1 items'),
    },
  ),
  bad(
    'AuthPolicy',
    'targets: a misspelt kind',
    { ...GUEST, targetRefs: [{ kind: 'Apiroute', name: 'a' }] },
    {
      path: 'spec.targetRefs[0].kind',
      says: '"Apiroute" is not possible here; did you mean ApiRoute?',
      inCluster: own('Unsupported value: "Apiroute"'),
    },
  ),
  bad(
    'AuthPolicy',
    'targets: the wrong group',
    {
      ...GUEST,
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'ApiRoute', name: 'a' }],
    },
    { path: 'spec.targetRefs[0].group', says: 'The group is fairlead.dev for ApiRoute' },
  ),
  bad(
    'AuthPolicy',
    'targets: a section of a namespace',
    {
      ...GUEST,
      targetRefs: [{ kind: 'Namespace', name: 'shop', sectionName: 'a' }],
    },
    { path: 'spec.targetRefs[0].sectionName', says: 'Only an ApiRoute has sections' },
  ),
  bad(
    'AuthPolicy',
    'targets: one twice',
    {
      ...GUEST,
      targetRefs: [
        { kind: 'ApiRoute', name: 'shop' },
        { kind: 'ApiRoute', name: 'shop', group: 'fairlead.dev' },
      ],
    },
    { path: 'spec.targetRefs', says: 'Two entries name the same target' },
  ),
  bad(
    'AuthPolicy',
    'targets: a namespace',
    {
      ...GUEST,
      targetRefs: [{ kind: 'ApiRoute', name: 'shop', namespace: 'shop' }],
    },
    {
      path: 'spec.targetRefs[0].namespace',
      says: 'There is no field "namespace" here',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.targetRefs[0].namespace"'),
    },
  ),
]

const WHOLE: readonly BadObject[] = [
  bad('AuthPolicy', 'policy: nothing stated', policy({}), {
    path: 'spec',
    says: 'The policy states nothing',
  }),
  bad('AuthPolicy', 'policy: bare fields and defaults', policy({ ...GUEST, defaults: GUEST }), {
    path: 'spec',
    says: 'bare or under defaults, not both',
  }),
  bad('AuthPolicy', 'policy: empty defaults', policy({ defaults: {} }), {
    path: 'spec.defaults',
    says: 'Nothing is stated',
  }),
  bad('AuthPolicy', 'policy: empty overrides', policy({ ...GUEST, overrides: {} }), {
    path: 'spec.overrides',
    says: 'Nothing is stated',
  }),
  bad(
    'AuthPolicy',
    'policy: an entry called true',
    policy({ authenticate: { true: { anonymous: {} } } }),
    {
      path: 'spec.authenticate.true',
      says: 'YAML 1.1 makes of on, yes and y',
      inCluster: own(
        'YAML 1.1 reads on, off, yes, no, y, n as true and false',
        'spec.authenticate',
      ),
    },
  ),
  bad(
    'AuthPolicy',
    'policy: an entry in upper case',
    policy({ authenticate: { Staff: { anonymous: {} } } }),
    {
      path: 'spec.authenticate',
      says: 'Name the entry with lower-case letters',
      inCluster: own('Name the entry with lower-case letters'),
    },
  ),
  bad('AuthPolicy', 'policy: no entry', policy({ authenticate: {} }), {
    path: 'spec.authenticate',
    says: 'At least one entry is needed here.',
    inCluster: own('should have at least 1 properties'),
  }),
  bad(
    'AuthPolicy',
    'policy: 17 entries',
    policy({
      authorize: Object.fromEntries(
        Array.from({ length: 17 }, (_, i) => [`e${i}`, { require: 'true' }]),
      ),
    }),
    {
      path: 'spec.authorize',
      says: 'At most 16 entries are possible here; there are 17.',
      inCluster: own('must have at most 16 items'),
    },
  ),
  bad('AuthPolicy', 'policy: entries as a list', policy({ authenticate: [{ anonymous: {} }] }), {
    path: 'spec.authenticate',
    says: 'This must be an object (key: value), and is a list.',
    inCluster: own('unknown field "spec.authenticate[0].anonymous"'),
  }),
]

const AUTHORIZE: readonly BadObject[] = [
  badAuthorize(
    'authorize: scopes and require',
    { scopes: ['a'], require: 'true' },
    {
      path: '~',
      says: 'Write exactly one of scopes, require, external, disabled.',
    },
  ),
  badAuthorize(
    'authorize: only when',
    { when: 'true' },
    {
      path: '~',
      says: 'Write exactly one of scopes, require, external, disabled.',
    },
  ),
  badAuthorize(
    'authorize: disabled with when',
    { disabled: true, when: 'true' },
    {
      path: '~',
      says: 'A disabled entry has nothing else in it.',
    },
  ),
  badAuthorize(
    'authorize: disabled is false',
    { disabled: false },
    {
      path: '~.disabled',
      says: 'Write disabled: true to remove an inherited entry',
    },
  ),
  badAuthorize(
    'authorize: scopes in one text',
    { scopes: ['books.read books.write'] },
    {
      path: '~.scopes[0]',
      says: 'write one item for each',
    },
  ),
  badAuthorize(
    'authorize: an empty requirement',
    { require: '' },
    {
      path: '~.require',
      says: 'The expression is empty.',
    },
  ),
  badAuthorize(
    'authorize: a template',
    { require: '${ auth.consumer != "" }' },
    {
      path: '~.require',
      says: 'write it bare',
    },
  ),
  badAuthorize(
    'authorize: a cause with a space',
    { require: 'true', deny: { cause: 'Not allowed' } },
    {
      path: '~.deny.cause',
      says: 'Write a word such as not-in-plan',
    },
  ),
  badAuthorize(
    'authorize: a refusal with status 200',
    { require: 'true', deny: { status: 200 } },
    {
      path: '~.deny.status',
      says: 'write a number from 400 to 599',
      inCluster: own('should be greater than or equal to 400'),
    },
  ),
  bad('AuthPolicy', 'forward: nothing', policy({ forward: {} }), {
    path: 'spec.forward',
    says: 'Write headers, credential or both.',
  }),
  bad('AuthPolicy', 'forward: an unknown word', policy({ forward: { credential: 'remove' } }), {
    path: 'spec.forward.credential',
    says: 'Possible: strip, keep.',
    inCluster: own('Unsupported value: "remove"'),
  }),
  bad('AuthPolicy', 'deny: nothing', policy({ deny: {} }), {
    path: 'spec.deny',
    says: 'Write unauthenticated, forbidden or both.',
  }),
]

export const BAD_AUTH_POLICIES: readonly BadObject[] = [...TARGETS, ...WHOLE, ...AUTHORIZE]
