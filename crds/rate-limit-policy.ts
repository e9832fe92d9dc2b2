/**
 * RateLimitPolicy: how much of the targets may be used per time or at once.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { ENTRY_NAMES } from './authenticate.ts'
import { bareOrDefaults } from './policy.ts'
import { TargetRefsSchema } from './reference.ts'
import { alone, atLeastOne, exactlyOne, needs } from './rule.ts'
import { Choice, Fields, Int, List, Named, OnlyTrue, type Rule, type Spec } from './schema.ts'
import { Expression, Rate } from './text.ts'

const Burst = Int({
  about: 'How many may come at once.',
  example: '20',
  absent: 'the number of the rate',
  min: 1,
  max: 1_000_000_000,
})

const ConditionalRateSchema = Fields({
  about: 'Another rate under a condition.',
  required: {
    when: Expression({
      about: 'CEL; the first that is true counts.',
      example: '"gold" in auth.groups',
    }),
    rate: Rate({ about: 'The rate instead.', example: '600/1m' }),
  },
  optional: { burst: Burst },
})

const BEFORE_AUTH_KNOWS_NOBODY: Rule<{ readonly stage?: string; readonly key?: string }> = {
  cel: "!has(self.stage) || self.stage != 'beforeAuth' || !has(self.key) || !(self.key.startsWith('auth.') || self.key.startsWith('consumer.'))",
  message: 'Before authentication nobody is known: a key of stage beforeAuth may use request only.',
  check: ({ stage, key }) =>
    stage !== 'beforeAuth' ||
    key === undefined ||
    !(key.startsWith('auth.') || key.startsWith('consumer.')),
  at: 'key',
}

const LimitEntrySchema = Fields({
  about: 'One limit.',
  optional: {
    rate: Rate({ about: 'So many per so long, refilled evenly.', example: '60/1m' }),
    burst: Burst,
    rates: List({
      about:
        'Other rates under conditions; the first whose `when` is true replaces rate and burst.',
      example: '[{ when: \'"gold" in auth.groups\', rate: 600/1m }]',
      item: ConditionalRateSchema,
      max: 16,
    }),
    concurrency: Int({
      about: 'How many requests at once.',
      example: '50',
      min: 1,
      max: 1_000_000,
    }),
    key: Expression({
      about: 'CEL; equal values share a bucket.',
      example: 'auth.consumer',
      absent: 'one bucket for all',
    }),
    when: Expression({
      about: 'CEL; the limit counts only where it is true. If it fails at run time, it counts.',
      example: 'request.method == "POST"',
      absent: 'true',
    }),
    cost: Expression({
      about: 'CEL; what one request takes from the bucket.',
      example: 'request.path.startsWith("/export") ? 5 : 1',
      absent: '1',
    }),
    per: Choice({
      about: 'What has a bucket of its own.',
      example: 'route',
      absent: 'policy: all targets share it',
      of: ['policy', 'route', 'rule'],
    }),
    stage: Choice({
      about: 'When it is taken.',
      example: 'beforeAuth',
      absent: 'afterAuth',
      of: ['beforeAuth', 'afterAuth'],
    }),
    accuracy: Choice({
      about:
        'exact: never more, over all replicas (Redis). leased: replicas take slices of it (Redis). local: each data plane takes its part.',
      example: 'exact',
      absent: 'leased where the gateway has Redis, else local',
      of: ['exact', 'leased', 'local'],
    }),
    disabled: OnlyTrue({
      about: 'Removes the entry of this name that a less specific policy states as a default.',
      example: 'true',
      instead: 'Write disabled: true to remove an inherited entry, or leave it out.',
    }),
  },
  rules: [
    exactlyOne(
      ['rate', 'concurrency', 'disabled'],
      'Write exactly one of rate, concurrency, disabled.',
    ),
    needs('burst', 'rate', 'burst belongs to a rate.'),
    needs('rates', 'rate', 'rates need a rate for those to whom none of them applies.'),
    needs('cost', 'rate', 'cost belongs to a rate; a concurrency limit counts requests.'),
    alone(
      'disabled',
      ['key', 'when', 'per', 'stage', 'accuracy'],
      'A disabled entry has nothing else in it.',
    ),
    BEFORE_AUTH_KNOWS_NOBODY,
  ],
})
export type LimitEntrySpec = Spec<typeof LimitEntrySchema>

const PART = {
  limits: Named({
    about: 'Limits by name; all must have room. Merged entry by entry over all policies.',
    example: '{ per-partner: { key: auth.consumer, rate: 60/1m } }',
    value: LimitEntrySchema,
    min: 1,
    max: 16,
    rules: [ENTRY_NAMES],
  }),
  mode: Choice({
    about: 'enforce: 429. observe: only count and log.',
    example: 'observe',
    absent: 'enforce',
    of: ['enforce', 'observe'],
  }),
  onStoreFailure: Choice({
    about:
      'What happens while Redis does not answer: each data plane takes its part, or all pass, or none.',
    example: 'deny',
    absent: 'local',
    of: ['allow', 'deny', 'local'],
  }),
  onMissingKey: Choice({
    about:
      'What happens where a key cannot be computed: refused (401 for anonymous callers, else 403), or one bucket for all of these.',
    example: 'shared',
    absent: 'refuse',
    of: ['refuse', 'shared'],
  }),
}
const NAMES = Object.keys(PART)
const SOMETHING = atLeastOne(['limits'], 'Nothing is limited here: write limits.')

const RateLimitPolicyPartSchema = Fields({ optional: PART })
/** What stands bare in the spec, or under `defaults` or `overrides`. */
export type RateLimitPolicyPart = Spec<typeof RateLimitPolicyPartSchema>

export const RateLimitPolicySchema = Fields({
  about: 'What is limited where.',
  example: '{ targetRefs: [{ kind: ApiRoute, name: shop }], limits: { all: { rate: 5000/1s } } }',
  required: { targetRefs: TargetRefsSchema },
  optional: {
    ...PART,
    defaults: Fields({
      about: 'What a more specific policy may replace: the same as bare fields.',
      example: '{ limits: { all: { rate: 5000/1s } } }',
      optional: PART,
      rules: [SOMETHING],
    }),
    overrides: Fields({
      about: 'What no more specific policy may replace.',
      example: '{ limits: { all: { rate: 5000/1s } } }',
      optional: PART,
      rules: [SOMETHING],
    }),
  },
  rules: [
    ...bareOrDefaults(NAMES),
    ...['mode', 'onStoreFailure', 'onMissingKey'].map((name) =>
      needs(
        name,
        'limits',
        `${name} says how limits work, and there are none beside it: write limits.`,
      ),
    ),
  ],
})
export type RateLimitPolicySpec = Spec<typeof RateLimitPolicySchema>
