/**
 * ApiKey: the hash of a key, and whose it is. It holds no secret and can live in Git.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { matching } from './rule.ts'
import { Choice, Fields, type Spec, Text } from './schema.ts'
import { Label, ObjectName, Timestamp } from './text.ts'

/** What stands in its place may be a key: it is not repeated. */
const HASH = matching(
  '^[0-9a-f]{64}$',
  'Write the 64 lower-case hex digits that `fairlead key create` prints, never the key itself.',
)

export const ApiKeySchema = Fields({
  about: 'The key.',
  example: '{ consumerRef: { name: acme }, sha256: "9f86d0…0a08" }',
  required: {
    consumerRef: Fields({
      about: 'Whose key it is.',
      example: '{ name: acme }',
      required: { name: ObjectName({ about: 'Name of the Consumer.', example: 'acme' }) },
      optional: {
        namespace: Label({
          about: 'Its namespace. Another one than this object’s needs a ReferenceGrant there.',
          example: 'partners',
          absent: 'the namespace of this object',
        }),
      },
    }),
    sha256: Text({
      about:
        'SHA-256 of the key in lower-case hex, as `fairlead key create` prints it; for imported keys HMAC-SHA-256 with the pepper.',
      example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      max: 64,
      rules: [{ ...HASH, say: () => HASH.message }],
    }),
  },
  optional: {
    format: Choice({
      about: 'Made by `fairlead key create`, or brought along from elsewhere.',
      example: 'imported',
      absent: 'fairlead',
      of: ['fairlead', 'imported'],
    }),
    expiresAt: Timestamp({
      about: 'When it ends.',
      example: '"2027-01-01T00:00:00Z"',
      absent: 'never',
    }),
  },
})
export type ApiKeySpec = Spec<typeof ApiKeySchema>
