/**
 * Where a credential may stand in a request, and for whom a token is: what several ways to
 * authenticate share.
 * Proved by decode.test.ts.
 */
import { exactlyOne } from './rule.ts'
import { Fields, List, type Spec, Text } from './schema.ts'
import { HeaderName, Token } from './text.ts'

const CarrierSchema = Fields({
  about: 'One place where the credential may be.',
  optional: {
    header: Fields({
      about: 'A header.',
      example: '{ name: authorization, scheme: Bearer }',
      required: { name: HeaderName({ about: 'Its name, in any case.', example: 'x-api-key' }) },
      optional: {
        scheme: Token({
          about: 'The word before the credential, in any case.',
          example: 'Bearer',
          absent: 'the whole value is the credential',
        }),
      },
    }),
    cookie: Fields({
      about: 'A cookie.',
      example: '{ name: session }',
      required: { name: Token({ about: 'Its name.', example: 'session' }) },
    }),
    queryParam: Fields({
      about: 'A query parameter. It may end up in logs of others.',
      example: '{ name: api_key }',
      required: { name: Text({ about: 'Its name.', example: 'api_key', min: 1, max: 128 }) },
    }),
  },
  rules: [
    exactlyOne(
      ['header', 'cookie', 'queryParam'],
      'Write exactly one of header, cookie, queryParam.',
    ),
  ],
})
export type CarrierSpec = Spec<typeof CarrierSchema>

export function From(absent: string) {
  return List({
    about: 'Where the credential may be.',
    example: '[{ header: { name: x-api-key } }]',
    absent,
    item: CarrierSchema,
    min: 1,
    max: 16,
  })
}

export const Audiences = List({
  about: 'Accepted audiences: one of them must be in the token’s `aud`.',
  example: '[shop]',
  absent: 'tokens of the issuer are accepted whomever they are for',
  item: Text({ min: 1, max: 1024 }),
  min: 1,
  max: 16,
})
