/**
 * LastValid: the controller's own memory of a spec that was valid, kept so that a restart changes
 * nothing while an invalid update waits to be mended. Nobody else writes it.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { Choice, Fields, FreeFormObject, Int, List, type Spec, Text } from './schema.ts'
import { ObjectName } from './text.ts'

export const LastValidSchema = Fields({
  about: 'What is remembered; written by the controller.',
  example: '{ of: { kind: ApiRoute, name: shop, uid: "…", generation: 4 }, spec: { … } }',
  required: {
    of: Fields({
      about: 'Of which object.',
      example: '{ kind: ApiRoute, name: shop, uid: "…", generation: 4 }',
      required: {
        kind: Choice({
          about: 'Its kind.',
          example: 'ApiRoute',
          of: ['ApiRoute', 'AuthPolicy', 'RateLimitPolicy'],
        }),
        name: ObjectName({ about: 'Its name; it is in the same namespace.', example: 'shop' }),
        uid: Text({
          about: 'Its uid: an object made anew under the name is another one.',
          example: '5b0c7a34-94d5-4b0e-8d8c-0a2f4c6a9b11',
          min: 1,
          max: 128,
        }),
        generation: Int({
          about: 'The generation that was valid.',
          example: '4',
          min: 0,
          max: 9_007_199_254_740_991,
        }),
      },
    }),
    spec: FreeFormObject({
      about: 'The spec of that generation, as written.',
      example: '{ rules: [ … ] }',
      required: {},
      optional: {},
    }),
  },
  optional: {
    policies: List({
      about: 'Of a route: the policies that applied when the spec was last valid, and where.',
      example: '[{ kind: AuthPolicy, name: shop, … }]',
      max: 256,
      item: FreeFormObject({
        about: 'One policy, its spec as written, and its target.',
        example: '{ kind: AuthPolicy, name: shop, … }',
        required: {},
        optional: {},
      }),
    }),
  },
})
export type LastValidSpec = Spec<typeof LastValidSchema>
