/**
 * Bad ApiRoutes: matches.
 */
import { type BadObject, badMatch, own } from './bad-object.ts'

export const BAD_MATCHES: readonly BadObject[] = [
  badMatch(
    'match: path and pathRegex',
    { path: '/a', pathRegex: '/a.*' },
    {
      path: '',
      says: 'Write path or pathRegex, not both.',
    },
  ),
  badMatch(
    'match: a path without its slash',
    { path: 'books' },
    {
      path: '.path',
      says: 'A path starts with "/".',
    },
  ),
  badMatch(
    'match: a star inside a path',
    { path: '/a/*/b' },
    {
      path: '.path',
      says: '/** may only end it',
    },
  ),
  badMatch(
    'match: a parameter that is half a segment',
    { path: '/orders/x{id}' },
    {
      path: '.path',
      says: '{name} stands for one whole segment',
    },
  ),
  badMatch(
    'match: a query in a path',
    { path: '/orders?x=1' },
    {
      path: '.path',
      says: 'a query goes to queryParams',
    },
  ),
  badMatch(
    'match: a method in lower case',
    { method: 'get' },
    {
      path: '.method',
      says: 'Write the method in upper case',
    },
  ),
  badMatch(
    'match: a header with two tests',
    {
      headers: [{ name: 'x-channel', exact: 'a', prefix: 'b' }],
    },
    { path: '.headers[0]', says: 'Write exactly one of exact, prefix, regex, present.' },
  ),
  badMatch(
    'match: a header without a test',
    { headers: [{ name: 'x-channel' }] },
    {
      path: '.headers[0]',
      says: 'Write exactly one of exact, prefix, regex, present.',
    },
  ),
  badMatch(
    'match: a header that must be absent',
    {
      headers: [{ name: 'x-channel', present: false }],
    },
    { path: '.headers[0].present', says: 'Only true is possible' },
  ),
  badMatch(
    'match: a header name with a space',
    { headers: [{ name: 'x channel', exact: 'a' }] },
    {
      path: '.headers[0].name',
      says: 'Write a header name such as x-tenant',
    },
  ),
  badMatch(
    'match: a query value that is a number',
    { queryParams: [{ name: 'v', exact: 2 }] },
    {
      path: '.queryParams[0].exact',
      says: 'This must be text, and is 2. Put it in quotes: "2".',
      inCluster: own('must be of type string'),
    },
  ),
  badMatch(
    'match: a parameter without a test',
    { queryParams: [{ name: 'v' }] },
    {
      path: '.queryParams[0]',
      says: 'Write exactly one of exact, prefix, regex, present.',
    },
  ),
  badMatch(
    'match: 17 header predicates',
    {
      headers: Array.from({ length: 17 }, (_, i) => ({ name: `x-${i}`, present: true })),
    },
    {
      path: '.headers',
      says: 'At most 16 items are possible here; there are 17.',
      inCluster: own('must have at most 16 items'),
    },
  ),
  badMatch(
    'match: a pattern of 300 characters',
    { pathRegex: `/${'a'.repeat(299)}` },
    {
      path: '.pathRegex',
      says: 'At most 256 characters',
      inCluster: own('may not be more than 256 bytes'),
    },
  ),
  badMatch(
    'match: an empty expression',
    { when: '' },
    {
      path: '.when',
      says: 'The expression is empty.',
    },
  ),
  badMatch(
    'match: a template in place of an expression',
    { when: '${request.path == "/"}' },
    {
      path: '.when',
      says: 'write it bare',
    },
  ),
  badMatch(
    'match: an expression of 5000 characters',
    { when: `"${'a'.repeat(5000)}" == ""` },
    {
      path: '.when',
      says: 'At most 4096 characters',
      inCluster: own('may not be more than 4096 bytes'),
    },
  ),
  badMatch('match: text instead of an object', '/books', {
    path: '',
    says: 'This must be an object (key: value), and is "/books".',
    inCluster: own('must be of type object'),
  }),
]
