/**
 * How one resource names another: targets of policies, gateways, Services, Secrets, Consumers.
 * Whether what is named exists, and may be named from here, is judged by compile.
 * Proved by decode.test.ts.
 */
import { keysMatching, matching } from './rule.ts'
import { Choice, type Doc, Fields, Int, List, Named, type Rule, type Spec, Text } from './schema.ts'
import { Label, ObjectName } from './text.ts'

const NAMESPACE = {
  about: 'Its namespace. Another one than this object’s needs a ReferenceGrant there.',
  example: 'shop',
  absent: 'the namespace of this object',
} as const

const TARGET_GROUPS: Rule<{ readonly kind: string; readonly group?: string }> = {
  cel: "!has(self.group) || self.group == (self.kind == 'Namespace' ? '' : 'fairlead.dev')",
  message:
    'The group is fairlead.dev for ApiRoute and ApiGateway, and "" for Namespace; leave it out.',
  check: ({ kind, group }) =>
    group === undefined || group === (kind === 'Namespace' ? '' : 'fairlead.dev'),
  at: 'group',
}

const SECTION_OF_ROUTE: Rule<{ readonly kind: string; readonly sectionName?: string }> = {
  cel: "!has(self.sectionName) || self.kind == 'ApiRoute'",
  message: 'Only an ApiRoute has sections: sectionName names one of its rules.',
  check: ({ kind, sectionName }) => sectionName === undefined || kind === 'ApiRoute',
  at: 'sectionName',
}

export const TARGET_KINDS = ['ApiRoute', 'Namespace', 'ApiGateway'] as const

export const TargetRefSchema = Fields({
  about: 'One thing that the policy applies to.',
  required: {
    kind: Choice({
      about:
        'ApiRoute: a whole route or one of its rules. Namespace: all routes of the policy’s own namespace. ApiGateway: all routes of the gateway, from its own namespace only.',
      example: 'ApiRoute',
      of: TARGET_KINDS,
    }),
    name: ObjectName({
      about: 'Name of the target; it is in the policy’s own namespace.',
      example: 'shop',
    }),
  },
  optional: {
    group: Text({
      about: 'API group of the kind: fairlead.dev, or "" for Namespace.',
      example: 'fairlead.dev',
      absent: 'the group of the kind',
      max: 253,
    }),
    sectionName: Label({
      about: 'Name of a rule of the ApiRoute: the policy applies to that rule alone.',
      example: 'order-page',
      absent: 'the whole route',
    }),
  },
  rules: [TARGET_GROUPS, SECTION_OF_ROUTE],
})
export type TargetRef = Spec<typeof TargetRefSchema>

const TARGETS_DIFFER: Rule<readonly TargetRef[]> = {
  cel: "self.all(a, self.exists_one(b, b.kind == a.kind && b.name == a.name && (has(b.sectionName) ? b.sectionName : '') == (has(a.sectionName) ? a.sectionName : '')))",
  message: 'Two entries name the same target; remove one.',
  check: (refs) =>
    new Set(refs.map((ref) => `${ref.kind}/${ref.name}/${ref.sectionName ?? ''}`)).size ===
    refs.length,
}

export const TargetRefsSchema = List({
  about: 'What the policy applies to. More specific wins: gateway, namespace, route, rule.',
  example: '[{ kind: ApiRoute, name: shop, sectionName: order-page }]',
  item: TargetRefSchema,
  min: 1,
  max: 16,
  rules: [TARGETS_DIFFER],
})

export const GatewayRefSchema = Fields({
  about: 'An ApiGateway that serves the route.',
  required: {
    name: ObjectName({ about: 'Name of the ApiGateway.', example: 'public' }),
  },
  optional: {
    namespace: Label({
      about: 'Namespace of the ApiGateway; it decides by allowedNamespaces whom it serves.',
      example: 'fairlead-system',
      absent: 'the namespace of this object',
    }),
  },
})
export type GatewayRef = Spec<typeof GatewayRefSchema>

export const ServiceRefSchema = Fields({
  about: 'A port of a Kubernetes Service.',
  example: '{ name: books, port: 80 }',
  required: {
    name: ObjectName({ about: 'Name of the Service.', example: 'books' }),
    port: Int({ about: 'Port of the Service, by number.', example: '80', min: 1, max: 65_535 }),
  },
  optional: { namespace: Label(NAMESPACE) },
})
export type ServiceRef = Spec<typeof ServiceRefSchema>

export const ApiBackendRefSchema = Fields({
  about: 'An ApiBackend: a Service with what holds for requests to it.',
  example: '{ name: books }',
  required: { name: ObjectName({ about: 'Name of the ApiBackend.', example: 'books' }) },
  optional: { namespace: Label(NAMESPACE) },
})
export type ApiBackendRef = Spec<typeof ApiBackendRefSchema>

/** A reference to a Secret; its type must fit the use, and only documented keys are read. */
export function SecretRef(doc: Doc): typeof SecretRefShape {
  return Fields({ ...doc, ...SECRET })
}

const SECRET = {
  required: { name: ObjectName({ about: 'Name of the Secret.', example: 'shop-tls' }) },
  optional: { namespace: Label(NAMESPACE) },
}
const SecretRefShape = Fields(SECRET)
export type SecretRefSpec = Spec<typeof SecretRefShape>

/** A reference to a Secret of which the key may be chosen. */
export function SecretKeyRef(doc: Doc, key: string): typeof SecretKeyRefShape {
  return Fields({ ...doc, ...secretKey(key) })
}

const KEY_RULE = matching(
  '^[-._a-zA-Z0-9]+$',
  'A key of a Secret has letters, digits, "-", "_", ".".',
)

function secretKey(key: string) {
  const chosen = Text({
    about: 'Key in the Secret’s data.',
    example: key,
    absent: key,
    min: 1,
    max: 253,
    rules: [KEY_RULE],
  })
  return { required: SECRET.required, optional: { ...SECRET.optional, key: chosen } }
}
const SecretKeyRefShape = Fields(secretKey('pepper'))
export type SecretKeyRefSpec = Spec<typeof SecretKeyRefShape>

// ---- label selectors ------------------------------------------------------------------------

const LABEL_KEY = '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'
const LABEL_VALUE = '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$'

const LabelValue = Text({
  max: 63,
  rules: [matching(LABEL_VALUE, 'A label value has letters, digits, "-", "_", "."; quote "true".')],
})

const VALUES_FIT: Rule<{ readonly operator: string; readonly values?: readonly string[] }> = {
  cel: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
  message: 'In and NotIn need values; Exists and DoesNotExist have none.',
  check: ({ operator, values }) =>
    (operator === 'In' || operator === 'NotIn') === (values !== undefined && values.length > 0),
  at: 'values',
}

const KEYS_ARE_LABELS = keysMatching(
  LABEL_KEY,
  317,
  'A label key is a name such as team, or one with a prefix such as example.com/team.',
)

export function Selector(doc: Doc): typeof SelectorShape {
  return Fields({ ...doc, optional: SELECTOR })
}

const SELECTOR = {
  matchLabels: Named({
    about: 'Labels that must all be there with these values; quote "true" and numbers.',
    example: '{ partner: "true" }',
    value: LabelValue,
    max: 16,
    rules: [KEYS_ARE_LABELS],
  }),
  matchExpressions: List({
    about: 'Further conditions; all must hold.',
    example: '[{ key: tier, operator: In, values: [gold, silver] }]',
    max: 16,
    item: Fields({
      about: 'One condition on a label.',
      required: {
        key: Text({
          about: 'Key of the label.',
          example: 'tier',
          min: 1,
          max: 317,
          rules: [matching(LABEL_KEY, 'Write a label key such as tier or example.com/tier.')],
        }),
        operator: Choice({
          about: 'How the label is compared.',
          example: 'In',
          of: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
        }),
      },
      optional: {
        values: List({
          about: 'Values for In and NotIn.',
          example: '[gold, silver]',
          item: LabelValue,
          max: 16,
        }),
      },
      rules: [VALUES_FIT],
    }),
  }),
}
const SelectorShape = Fields({ optional: SELECTOR })
export type SelectorSpec = Spec<typeof SelectorShape>
