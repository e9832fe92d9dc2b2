/**
 * Bad AuthPolicies: the ways to authenticate.
 */
import { type BadObject, badAuthenticate, own } from './bad-object.ts'

const ISSUER = 'https://id.example.com'

export const BAD_AUTHENTICATE: readonly BadObject[] = [
  badAuthenticate(
    'authenticate: two methods',
    { jwt: { issuer: ISSUER }, anonymous: {} },
    {
      path: '~',
      says: 'Write exactly one of jwt, apiKey, basic',
    },
  ),
  badAuthenticate(
    'authenticate: no method',
    {},
    {
      path: '~',
      says: 'Write exactly one of jwt, apiKey, basic',
    },
  ),
  badAuthenticate(
    'authenticate: a misspelt method',
    { apikey: {} },
    {
      path: '~.apikey',
      says: 'did you mean apiKey?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.authenticate.staff.apikey"'),
    },
  ),
  badAuthenticate(
    'authenticate: anonymous is null',
    { anonymous: null },
    {
      path: '~.anonymous',
      says: 'null is no value here',
      inCluster: own('Write exactly one of jwt, apiKey, basic', 'spec.authenticate.staff'),
    },
  ),
  badAuthenticate(
    'authenticate: something in anonymous',
    { anonymous: { name: 'x' } },
    {
      path: '~.anonymous.name',
      says: 'nothing is written in it',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.authenticate.staff.anonymous.name"'),
    },
  ),
  badAuthenticate(
    'jwt: no audience would do',
    { jwt: { issuer: ISSUER, audiences: [] } },
    {
      path: '~.jwt.audiences',
      says: 'At least one item is needed here.',
      inCluster: own('should have at least 1 items'),
    },
  ),
  badAuthenticate(
    'jwt: no issuer',
    { jwt: { audiences: ['shop'] } },
    {
      path: '~.jwt.issuer',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badAuthenticate(
    'jwt: jwksUri and keys',
    {
      jwt: {
        issuer: ISSUER,
        jwksUri: `${ISSUER}/keys`,
        keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'x' }],
      },
    },
    { path: '~.jwt', says: 'Write jwksUri or keys, not both.' },
  ),
  badAuthenticate(
    'jwt: an issuer that cannot be asked',
    { jwt: { issuer: 'my-issuer' } },
    {
      path: '~.jwt',
      says: 'Keys are discovered at the issuer, which is no URL',
    },
  ),
  badAuthenticate(
    'jwt: a symmetric algorithm',
    { jwt: { issuer: ISSUER, algorithms: ['HS256'] } },
    {
      path: '~.jwt.algorithms[0]',
      says: '"HS256" is not possible here',
      inCluster: own('Unsupported value: "HS256"'),
    },
  ),
  badAuthenticate(
    'jwt: a private key',
    {
      jwt: { issuer: 'x', keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'x', d: 'secret' }] },
    },
    { path: '~.jwt.keys[0]', says: 'This is a private or symmetric key' },
  ),
  badAuthenticate(
    'jwt: a key without a type',
    { jwt: { issuer: 'x', keys: [{ x: 'x' }] } },
    {
      path: '~.jwt.keys[0].kty',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badAuthenticate(
    'jwt: two carriers in one',
    {
      jwt: { issuer: ISSUER, from: [{ header: { name: 'a' }, cookie: { name: 'b' } }] },
    },
    { path: '~.jwt.from[0]', says: 'Write exactly one of header, cookie, queryParam.' },
  ),
  badAuthenticate(
    'jwt: a jwksUri without a scheme',
    { jwt: { issuer: ISSUER, jwksUri: 'id.example.com' } },
    {
      path: '~.jwt.jwksUri',
      says: 'Write an absolute URL',
    },
  ),
  badAuthenticate(
    'apiKey: imported without a pepper',
    { apiKey: { formats: ['imported'] } },
    {
      path: '~.apiKey',
      says: 'The format imported needs a pepperSecretRef',
    },
  ),
  badAuthenticate(
    'apiKey: a pepper for nothing',
    { apiKey: { pepperSecretRef: { name: 'pepper' } } },
    {
      path: '~.apiKey',
      says: 'and only it does',
    },
  ),
  badAuthenticate(
    'apiKey: a key of the Secret with a slash',
    {
      apiKey: { formats: ['imported'], pepperSecretRef: { name: 'pepper', key: 'a/b' } },
    },
    { path: '~.apiKey.pepperSecretRef.key', says: 'A key of a Secret has letters' },
  ),
  badAuthenticate(
    'apiKey: a label value that is a boolean',
    {
      apiKey: { consumers: { selector: { matchLabels: { partner: true } } } },
    },
    {
      path: '~.apiKey.consumers.selector.matchLabels.partner',
      says: 'Put it in quotes: "true".',
      inCluster: own('must be of type string'),
    },
  ),
  badAuthenticate(
    'apiKey: a label value with a space',
    {
      apiKey: { consumers: { selector: { matchLabels: { partner: 'a b' } } } },
    },
    { path: '~.apiKey.consumers.selector.matchLabels.partner', says: 'A label value has letters' },
  ),
  badAuthenticate(
    'apiKey: a label key with a space',
    {
      apiKey: { consumers: { selector: { matchLabels: { 'a b': 'x' } } } },
    },
    {
      path: '~.apiKey.consumers.selector.matchLabels',
      says: 'A label key is a name such as team',
      inCluster: own('A label key is a name such as team'),
    },
  ),
  badAuthenticate(
    'apiKey: In without values',
    {
      apiKey: { consumers: { selector: { matchExpressions: [{ key: 'tier', operator: 'In' }] } } },
    },
    {
      path: '~.apiKey.consumers.selector.matchExpressions[0].values',
      says: 'In and NotIn need values',
    },
  ),
  badAuthenticate(
    'apiKey: an expression about no label',
    {
      apiKey: { consumers: { selector: { matchExpressions: [{ key: '-', operator: 'Exists' }] } } },
    },
    {
      path: '~.apiKey.consumers.selector.matchExpressions[0].key',
      says: 'Write a label key such as tier',
    },
  ),
  badAuthenticate(
    'hmac: no component',
    { hmac: { secretRef: { name: 'a' }, components: ['A B'] } },
    {
      path: '~.hmac.components[0]',
      says: 'Write a component such as "@method"',
    },
  ),
  badAuthenticate(
    'oidc: a path without its slash',
    {
      oidc: { issuer: ISSUER, secretRef: { name: 'a' }, callbackPath: 'callback' },
    },
    { path: '~.oidc.callbackPath', says: 'Write a path that starts with "/".' },
  ),
  badAuthenticate(
    'basic: no Secret',
    { basic: {} },
    {
      path: '~.basic.secretRef',
      says: 'Secret of type fairlead.dev/basic-users.',
      inCluster: own('Required value'),
    },
  ),
]
