/**
 * What the controller writes into `status`: conditions, one set for each target or gateway, and every
 * problem with its place. Users read it; nothing in here is configuration.
 * Pinned by emit.test.ts: "every property has a description with an example".
 */
import { Choice, Fields, Int, List, type Spec, Text } from './schema.ts'

const Generation = Int({
  about: 'The generation of the object that this was judged from.',
  example: '4',
  min: 0,
  max: 9_007_199_254_740_991,
})

const ConditionSchema = Fields({
  about: 'One condition.',
  required: {
    type: Text({ about: 'What it speaks of.', example: 'Programmed', min: 1, max: 63 }),
    status: Choice({
      about: 'Whether it holds.',
      example: 'True',
      of: ['True', 'False', 'Unknown'],
    }),
    lastTransitionTime: Text({
      about: 'When `status` last changed.',
      example: '2026-01-01T00:00:00Z',
      min: 1,
      max: 40,
    }),
    reason: Text({
      about: 'Why, in one documented word.',
      example: 'BackendNotFound',
      min: 1,
      max: 63,
    }),
    message: Text({
      about: 'Why, in a sentence.',
      example: 'All data planes run generation 4.',
      max: 4096,
    }),
  },
  optional: { observedGeneration: Generation },
})
export type ConditionStatus = Spec<typeof ConditionSchema>

const Conditions = List({
  about: 'What can be said of it, by type: Accepted, Programmed.',
  example: '[{ type: Accepted, status: "True", reason: Accepted, message: … }]',
  item: ConditionSchema,
  max: 8,
  keyedBy: 'type',
})

const Problems = List({
  about: 'Everything that is wrong, failures first.',
  example: '[{ path: "spec.rules[2].match[0].path", reason: Invalid, sentence: … }]',
  max: 64,
  item: Fields({
    about: 'One problem.',
    required: {
      path: Text({
        about: 'The field.',
        example: 'spec.rules[2].match[0].path',
        max: 1024,
      }),
      reason: Text({ about: 'Why, in one documented word.', example: 'Invalid', max: 63 }),
      sentence: Text({
        about: 'What is wrong and what to do.',
        example: 'A path starts with "/".',
        max: 2048,
      }),
    },
  }),
})
export type ProblemStatus = Spec<typeof Problems>[number]

const GatewayStates = List({
  about: 'The state at each gateway, failures first.',
  example: '[{ gateway: { namespace: fairlead-system, name: public }, conditions: [ … ] }]',
  max: 16,
  item: Fields({
    about: 'The state at one gateway.',
    required: {
      gateway: Fields({
        about: 'The ApiGateway.',
        example: '{ namespace: fairlead-system, name: public }',
        required: {
          namespace: Text({ about: 'Its namespace.', example: 'fairlead-system', max: 63 }),
          name: Text({ about: 'Its name.', example: 'public', max: 253 }),
        },
      }),
      conditions: Conditions,
    },
  }),
})
export type GatewayState = Spec<typeof GatewayStates>[number]

const TargetStates = List({
  about: 'The state at each target, failures first.',
  example: '[{ target: { kind: ApiRoute, namespace: shop, name: shop }, conditions: [ … ] }]',
  max: 16,
  item: Fields({
    about: 'The state at one target.',
    required: {
      target: Fields({
        about: 'The target.',
        example: '{ kind: ApiRoute, namespace: shop, name: shop, sectionName: order-page }',
        required: {
          kind: Text({ about: 'Its kind.', example: 'ApiRoute', max: 63 }),
          namespace: Text({ about: 'Its namespace.', example: 'shop', max: 63 }),
          name: Text({ about: 'Its name.', example: 'shop', max: 253 }),
        },
        optional: {
          sectionName: Text({
            about: 'The rule, where it is one rule only.',
            example: 'order-page',
            max: 63,
          }),
        },
      }),
      conditions: Conditions,
    },
  }),
})
export type TargetState = Spec<typeof TargetStates>[number]

const BASIC = { observedGeneration: Generation, conditions: Conditions, problems: Problems }
const ABOUT = 'Written by the controller.'
const EXAMPLE = '{ observedGeneration: 4, conditions: [ … ] }'

/** Of ApiGateway, Consumer, ApiKey. */
export const BasicStatusSchema = Fields({ about: ABOUT, example: EXAMPLE, optional: BASIC })
export type BasicStatus = Spec<typeof BasicStatusSchema>

export const RouteStatusSchema = Fields({
  about: ABOUT,
  example: EXAMPLE,
  optional: { ...BASIC, gateways: GatewayStates },
})
export type RouteStatus = Spec<typeof RouteStatusSchema>

export const PolicyStatusSchema = Fields({
  about: ABOUT,
  example: EXAMPLE,
  optional: { ...BASIC, targets: TargetStates },
})
export type PolicyStatus = Spec<typeof PolicyStatusSchema>
