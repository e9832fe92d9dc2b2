/**
 * AuthPolicy: who may call the targets, and what backends learn of it.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { type AuthenticateEntrySchema, AuthenticateSchema, ENTRY_NAMES } from './authenticate.ts'
import { HeaderValueSchema } from './backend.ts'
import { TargetRefsSchema } from './reference.ts'
import { alone, atLeastOne, exactlyOne, matching } from './rule.ts'
import { bareOrDefaults } from './policy.ts'
import { Choice, Fields, Int, List, Named, OnlyTrue, type Spec, Text } from './schema.ts'
import { Duration, Expression, Url } from './text.ts'

const Detail = Text({
  about: 'The `detail` of the problem document.',
  example: 'Read-only; see the portal.',
  absent: 'a sentence of the gateway’s',
  min: 1,
  max: 1024,
})

export type AuthenticateEntrySpec = Spec<typeof AuthenticateEntrySchema>

const DenyAnswerSchema = Fields({
  about: 'The answer to those who are refused by this entry.',
  example: '{ status: 403, cause: suspended, detail: "Read-only; see the portal." }',
  optional: {
    status: Int({ about: 'Status.', example: '403', absent: '403', min: 400, max: 599 }),
    cause: Text({
      about: 'Word of the header x-fairlead-cause.',
      example: 'suspended',
      absent: 'forbidden, or insufficient-scope',
      min: 1,
      max: 63,
      rules: [
        matching(
          '^[a-z][a-z0-9]*(-[a-z0-9]+)*$',
          'Write a word such as not-in-plan: lower case with "-".',
        ),
      ],
    }),
    detail: Detail,
  },
})
export type DenyAnswerSpec = Spec<typeof DenyAnswerSchema>

const ExternalSchema = Fields({
  about: 'Asks a service of yours; expressions are judged before it.',
  example: '{ url: "http://opa.auth:8181/v1/data/shop/allow", timeout: 100ms }',
  required: {
    url: Url({ about: 'Where it listens.', example: 'http://opa.auth:8181/v1/data/shop/allow' }),
  },
  optional: {
    timeout: Duration({ about: 'How long it may take.', example: '100ms', absent: '200ms' }),
    onFailure: Choice({
      about: 'What happens where it does not answer.',
      example: 'allow',
      absent: 'deny',
      of: ['deny', 'allow'],
    }),
    cache: Duration({ about: 'How long an answer is kept.', example: '5s', absent: '0s' }),
  },
})

const Disabled = OnlyTrue({
  about: 'Removes the entry of this name that a less specific policy states as a default.',
  example: 'true',
  instead: 'Write disabled: true to remove an inherited entry, or leave it out.',
})

const AuthorizeEntrySchema = Fields({
  about: 'One condition.',
  optional: {
    scopes: List({
      about: 'Scopes that the token must all have; else 403 insufficient_scope.',
      example: '[books.read]',
      item: Text({
        min: 1,
        max: 256,
        rules: [
          matching(
            '^[!#-\\[\\]-~]+$',
            'A scope has no spaces, quotes or backslashes; write one item for each.',
          ),
        ],
      }),
      min: 1,
      max: 16,
    }),
    require: Expression({
      about: 'CEL that must be true. If it fails at run time, the request is refused.',
      example: 'consumer.state == "Active"',
    }),
    external: ExternalSchema,
    when: Expression({
      about: 'CEL; the condition counts only where it is true.',
      example: 'request.method == "GET"',
      absent: 'true',
    }),
    deny: DenyAnswerSchema,
    disabled: Disabled,
  },
  rules: [
    exactlyOne(
      ['scopes', 'require', 'external', 'disabled'],
      'Write exactly one of scopes, require, external, disabled.',
    ),
    alone('disabled', ['when', 'deny'], 'A disabled entry has nothing else in it.'),
  ],
})
export type AuthorizeEntrySpec = Spec<typeof AuthorizeEntrySchema>

const ForwardSchema = Fields({
  about: 'What the backend learns of the caller. One unit.',
  example: '{ headers: [{ name: x-user, value: "${auth.claims.sub}" }], credential: strip }',
  optional: {
    headers: List({
      about: 'Headers that are set; what the client sent under these names is always removed.',
      example: '[{ name: x-user, value: "${auth.claims.sub}" }]',
      item: HeaderValueSchema,
      max: 16,
    }),
    credential: Choice({
      about: 'Whether the credential itself goes to the backend.',
      example: 'keep',
      absent: 'strip',
      of: ['strip', 'keep'],
    }),
  },
  rules: [atLeastOne(['headers', 'credential'], 'Write headers, credential or both.')],
})
export type ForwardSpec = Spec<typeof ForwardSchema>

const DenySchema = Fields({
  about: 'The answers to those who are refused. One unit.',
  example: '{ unauthenticated: { detail: "Get a key at https://portal.example.com." } }',
  optional: {
    unauthenticated: Fields({
      about: 'To those who are not known: 401.',
      example: '{ detail: "Get a key at https://portal.example.com." }',
      optional: { detail: Detail },
    }),
    forbidden: Fields({
      about: 'To those who may not: 403.',
      example: '{ detail: "Ask the shop team for access." }',
      optional: { detail: Detail },
    }),
  },
  rules: [
    atLeastOne(['unauthenticated', 'forbidden'], 'Write unauthenticated, forbidden or both.'),
  ],
})
export type DenySpec = Spec<typeof DenySchema>

const PART = {
  authenticate: AuthenticateSchema,
  authorize: Named({
    about: 'Conditions by name; all must hold. Merged entry by entry over all policies.',
    example: '{ readers: { scopes: [books.read] } }',
    value: AuthorizeEntrySchema,
    min: 1,
    max: 16,
    rules: [ENTRY_NAMES],
  }),
  forward: ForwardSchema,
  deny: DenySchema,
}
const NAMES = Object.keys(PART)
const SOMETHING = atLeastOne(NAMES, `Nothing is stated: write ${NAMES.join(', ')} or some of them.`)

const AuthPolicyPartSchema = Fields({ optional: PART })
/** What stands bare in the spec, or under `defaults` or `overrides`. */
export type AuthPolicyPart = Spec<typeof AuthPolicyPartSchema>

export const AuthPolicySchema = Fields({
  about: 'What holds where.',
  example:
    '{ targetRefs: [{ kind: ApiRoute, name: shop }], authenticate: { guest: { anonymous: {} } } }',
  required: { targetRefs: TargetRefsSchema },
  optional: {
    ...PART,
    defaults: Fields({
      about: 'What a more specific policy may replace: the same as bare fields.',
      example: '{ authenticate: { guest: { anonymous: {} } } }',
      optional: PART,
      rules: [SOMETHING],
    }),
    overrides: Fields({
      about: 'What no more specific policy may replace.',
      example: '{ authorize: { employees: { require: \'"staff" in auth.groups\' } } }',
      optional: PART,
      rules: [SOMETHING],
    }),
  },
  rules: bareOrDefaults(NAMES),
})
export type AuthPolicySpec = Spec<typeof AuthPolicySchema>
