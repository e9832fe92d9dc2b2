/**
 * Consumer: the one who is billed and limited, and how credentials lead to it.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { alone, keysMatching, matching } from './rule.ts'
import { Choice, Fields, List, Named, type Rule, type Spec, Text } from './schema.ts'

const COMPLETE: Rule<{
  readonly issuer?: string
  readonly claim?: string
  readonly value?: string
  readonly certificate?: unknown
}> = {
  cel: 'has(self.certificate) || (has(self.issuer) && has(self.claim) && has(self.value))',
  message: 'Write issuer, claim and value, or a certificate.',
  check: ({ issuer, claim, value, certificate }) =>
    certificate !== undefined ||
    (issuer !== undefined && claim !== undefined && value !== undefined),
}

const IdentitySchema = Fields({
  about: 'One identity: a claim of an issuer’s tokens, or a certificate.',
  optional: {
    issuer: Text({
      about: 'Issuer of the tokens.',
      example: 'https://id.example.com',
      min: 1,
      max: 1024,
    }),
    claim: Text({ about: 'Claim that tells.', example: 'azp', min: 1, max: 128 }),
    value: Text({ about: 'Its value, exactly.', example: 'acme-app', min: 1, max: 1024 }),
    certificate: Fields({
      about: 'A client certificate.',
      example: '{ san: "spiffe://acme.example/app" }',
      required: {
        san: Text({
          about: 'A subject alternative name of it, exactly.',
          example: 'spiffe://acme.example/app',
          min: 1,
          max: 1024,
        }),
      },
    }),
  },
  rules: [
    COMPLETE,
    alone(
      'certificate',
      ['issuer', 'claim', 'value'],
      'A certificate stands alone; write a second identity for the tokens.',
    ),
  ],
})

const EXTERNAL_NAMES = keysMatching(
  '^[A-Za-z0-9][-A-Za-z0-9_.]*$',
  63,
  'Name the system with letters, digits, "-", "_", ".", such as stripe.',
)

export const ConsumerSchema = Fields({
  about: 'Who it is.',
  example: '{ displayName: Acme, groups: [gold] }',
  optional: {
    displayName: Text({ about: 'Name for people.', example: 'Acme', min: 1, max: 256 }),
    state: Choice({
      about:
        'Whether it is to be served. Policies decide what that means: require: consumer.state == "Active".',
      example: 'Suspended',
      absent: 'Active',
      of: ['Active', 'Suspended'],
    }),
    groups: List({
      about: 'Groups; expressions see them as auth.groups and consumer.groups.',
      example: '[gold]',
      item: Text({
        min: 1,
        max: 128,
        rules: [matching('^[^\\x00-\\x20\\x7f]+$', 'The name of a group has no spaces.')],
      }),
      max: 64,
    }),
    identities: List({
      about: 'Identities that lead here.',
      example: '[{ issuer: "https://id.example.com", claim: azp, value: acme-app }]',
      item: IdentitySchema,
      max: 16,
    }),
    externalIds: Named({
      about: 'What it is called in other systems.',
      example: '{ stripe: cus_N123 }',
      value: Text({ min: 1, max: 256 }),
      max: 16,
      rules: [EXTERNAL_NAMES],
    }),
    members: List({
      about: 'People who see and manage it in the portal.',
      example: '[{ issuer: "https://id.example.com", email: ada@acme.example, role: owner }]',
      max: 64,
      item: Fields({
        about: 'One person.',
        required: {
          issuer: Text({
            about: 'Who vouches for the address.',
            example: 'https://id.example.com',
            min: 1,
            max: 1024,
          }),
          email: Text({
            about: 'E-mail address.',
            example: 'ada@acme.example',
            min: 1,
            max: 254,
            rules: [
              matching('^[^@\\x00-\\x20\\x7f]+@[^@\\x00-\\x20\\x7f]+$', 'Write an e-mail address.'),
            ],
          }),
        },
        optional: {
          role: Choice({
            about: 'Owners manage members and keys, members see and use them.',
            example: 'owner',
            absent: 'member',
            of: ['owner', 'member'],
          }),
        },
      }),
    }),
  },
})
export type ConsumerSpec = Spec<typeof ConsumerSchema>
