/**
 * Bad ApiRoutes: the route itself, its gateways, hosts and certificates.
 */
import { type BadObject, DROPPED, bad, badRoute, own, rule } from './bad-object.ts'

export const BAD_API_ROUTES: readonly BadObject[] = [
  badRoute(
    'route: a host in upper case',
    { hosts: ['Shop.example.com'] },
    {
      path: 'spec.hosts[0]',
      says: 'Write a host in lower case',
    },
  ),
  badRoute(
    'route: a host with a scheme',
    { hosts: ['https://shop.example.com'] },
    {
      path: 'spec.hosts[0]',
      says: 'no scheme, port or path',
    },
  ),
  badRoute(
    'route: a host with a port',
    { hosts: ['shop.example.com:8080'] },
    {
      path: 'spec.hosts[0]',
      says: 'no scheme, port or path',
    },
  ),
  badRoute(
    'route: a wildcard inside a host',
    { hosts: ['shop.*.example.com'] },
    {
      path: 'spec.hosts[0]',
      says: 'one leading wildcard',
    },
  ),
  badRoute(
    'route: too many hosts',
    { hosts: Array.from({ length: 17 }, (_, i) => `h${i}.example`) },
    {
      path: 'spec.hosts',
      says: 'At most 16 items are possible here; there are 17.',
      inCluster: own('must have at most 16 items'),
    },
  ),
  badRoute(
    'route: an empty list of hosts',
    { hosts: [] },
    {
      path: 'spec.hosts',
      says: 'At least one item is needed here.',
      inCluster: own('should have at least 1 items'),
    },
  ),
  badRoute(
    'route: one host instead of a list',
    { hosts: 'shop.example.com' },
    {
      path: 'spec.hosts',
      says: 'This must be a list, and is "shop.example.com".',
      inCluster: own('must be of type array'),
    },
  ),
  badRoute(
    'route: no rules',
    { rules: undefined },
    {
      path: 'spec.rules',
      says: 'This field is required and missing.',
      inCluster: own('Required value'),
    },
  ),
  badRoute(
    'route: an empty list of rules',
    { rules: [] },
    {
      path: 'spec.rules',
      says: 'At least one item is needed here.',
      inCluster: own('should have at least 1 items'),
    },
  ),
  badRoute(
    'route: 65 rules',
    { rules: Array.from({ length: 65 }, (_, i) => rule({ name: `r${i}` })) },
    {
      path: 'spec.rules',
      says: 'At most 64 items are possible here; there are 65.',
      inCluster: own('must have at most 64 items'),
    },
  ),
  badRoute(
    'route: tls without hosts',
    {
      hosts: undefined,
      tls: { certificates: [{ secretRef: { name: 'shop-tls' } }] },
    },
    { path: 'spec', says: 'tls belongs to hosts; name them.' },
  ),
  badRoute(
    'route: an unknown word for tls.http',
    { tls: { http: 'redirct' } },
    {
      path: 'spec.tls.http',
      says: 'did you mean redirect?',
      inCluster: own('Unsupported value: "redirct"'),
    },
  ),
  badRoute(
    'route: public as text',
    { public: 'yes' },
    {
      path: 'spec.public',
      says: 'This must be true or false, and is "yes".',
      inCluster: own('must be of type boolean'),
    },
  ),
  badRoute(
    'route: a gateway without a name',
    { gateways: [{ namespace: 'x' }] },
    {
      path: 'spec.gateways[0].name',
      says: 'Name of the ApiGateway.',
      inCluster: own('Required value'),
    },
  ),
  badRoute(
    'route: a namespace that is no label',
    { gateways: [{ name: 'public', namespace: 'A.b' }] },
    {
      path: 'spec.gateways[0].namespace',
      says: 'Use lower-case letters, digits and "-"',
    },
  ),
  badRoute(
    'route: a Secret whose name is no name',
    {
      tls: { certificates: [{ secretRef: { name: 'Shop_TLS' } }] },
    },
    {
      path: 'spec.tls.certificates[0].secretRef.name',
      says: 'Use the name of an object',
    },
  ),
  badRoute(
    'route: an unknown field',
    { host: 'shop.example.com' },
    {
      path: 'spec.host',
      says: 'There is no field "host" here; did you mean hosts?',
      reason: 'UnknownField',
      inCluster: own('unknown field "spec.host"'),
    },
  ),
  badRoute(
    'route: a null host list',
    { hosts: null },
    {
      path: 'spec.hosts',
      says: 'null is no value here',
      inCluster: DROPPED,
    },
  ),
  bad('ApiRoute', 'route: a spec that is a list', [], {
    path: 'spec',
    says: 'This must be an object (key: value), and is a list.',
    inCluster: own('must be of type object'),
  }),
  bad('ApiRoute', 'route: a spec that is null', null, {
    path: 'spec',
    says: 'null is no value here',
    inCluster: own('Required value'),
  }),
]
