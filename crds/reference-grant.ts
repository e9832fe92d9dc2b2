/**
 * ReferenceGrant of Gateway API, as far as we read it: who from other namespaces may refer to what in
 * this one. Its manifest is for clusters that do not have Gateway API.
 */
import { Fields, List, type Spec, Text } from './schema.ts'
import { Label, ObjectName } from './text.ts'

const Group = Text({
  about: 'API group; "" for Service, Secret and ConfigMap.',
  example: 'fairlead.dev',
  max: 253,
})
const Kind = Text({ about: 'Kind.', example: 'ApiRoute', min: 1, max: 63 })

export const ReferenceGrantSchema = Fields({
  about: 'Who may refer to what.',
  example:
    '{ from: [{ group: fairlead.dev, kind: ApiRoute, namespace: shop }], to: [{ group: "", kind: Service }] }',
  required: {
    from: List({
      about: 'Objects that may refer; any of these.',
      example: '[{ group: fairlead.dev, kind: ApiRoute, namespace: shop }]',
      min: 1,
      max: 16,
      item: Fields({
        about: 'Objects of one kind in one namespace.',
        required: {
          group: Group,
          kind: Kind,
          namespace: Label({ about: 'Their namespace.', example: 'shop' }),
        },
      }),
    }),
    to: List({
      about: 'Objects of this namespace that may be referred to; any of these.',
      example: '[{ group: "", kind: Service, name: books }]',
      min: 1,
      max: 16,
      item: Fields({
        about: 'Objects of one kind.',
        required: { group: Group, kind: Kind },
        optional: {
          name: ObjectName({ about: 'One object.', example: 'books', absent: 'all of the kind' }),
        },
      }),
    }),
  },
})
export type ReferenceGrantSpec = Spec<typeof ReferenceGrantSchema>
