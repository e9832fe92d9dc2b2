/**
 * Which requests a rule takes: one match is a conjunction of predicates, any match of a rule suffices.
 */
import { exactlyOne, notBoth } from './rule.ts'
import { Fields, List, OnlyTrue, Text } from './schema.ts'
import { Expression, HeaderName, Method, PathPattern, Regex } from './text.ts'

const PREDICATE = {
  exact: Text({
    about: 'The whole value is this; case counts.',
    example: 'beta',
    max: 1024,
  }),
  prefix: Text({ about: 'The value starts with this.', example: 'v2-', min: 1, max: 1024 }),
  regex: Regex({
    about: 'The whole value matches this RE2 pattern.',
    example: 'v[0-9]+',
  }),
  present: OnlyTrue({
    about: 'It is there, with any value.',
    example: 'true',
    instead:
      'Only true is possible; for an absent one use when: \'!("x-channel" in request.headers)\'.',
  }),
}
const ONE_TEST = exactlyOne(
  ['exact', 'prefix', 'regex', 'present'],
  'Write exactly one of exact, prefix, regex, present.',
)

const HeaderPredicate = Fields({
  about: 'A condition on one header.',
  required: {
    name: HeaderName({ about: 'Name of the header, in any case.', example: 'x-channel' }),
  },
  optional: PREDICATE,
  rules: [ONE_TEST],
})

const QueryPredicate = Fields({
  about: 'A condition on one query parameter.',
  required: {
    name: Text({
      about: 'Name of the parameter, decoded; case counts.',
      example: 'v',
      min: 1,
      max: 128,
    }),
  },
  optional: PREDICATE,
  rules: [ONE_TEST],
})

export const RouteMatchSchema = Fields({
  about: 'One way to match; everything in it must hold.',
  optional: {
    method: Method({
      about: 'HTTP method. GET does not imply HEAD.',
      example: 'GET',
      absent: 'any',
    }),
    path: PathPattern({
      about:
        'Path, exact and case-sensitive, trailing slash included; {id} is one non-empty segment (request.params.id), a final /** the path itself and everything below it.',
      example: '/orders/{id}',
      absent: 'any',
    }),
    pathRegex: Regex({
      about: 'RE2 pattern over the whole path; its named groups become request.params.',
      example: '/files/(?P<name>[a-z]+)[.]pdf',
    }),
    headers: List({
      about: 'Conditions on headers; all must hold.',
      example: '[{ name: x-channel, exact: beta }]',
      item: HeaderPredicate,
      max: 16,
    }),
    queryParams: List({
      about: 'Conditions on query parameters; all must hold.',
      example: '[{ name: v, exact: "2" }]',
      item: QueryPredicate,
      max: 16,
    }),
    when: Expression({
      about: 'CEL over request: the last condition to be judged. If it fails at run time: 500.',
      example: 'inCidr(request.ip, "10.0.0.0/8")',
      absent: 'true',
    }),
  },
  rules: [notBoth('path', 'pathRegex', 'Write path or pathRegex, not both.')],
})
