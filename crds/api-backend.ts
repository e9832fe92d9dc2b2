/**
 * ApiBackend: a Service with what is to hold for requests to it, whichever route they come from.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { atLeastOne } from './rule.ts'
import { Fields, Int, type Spec } from './schema.ts'
import { ServiceRefSchema } from './reference.ts'
import { Duration, Share } from './text.ts'

const CircuitSchema = Fields({
  about:
    'How much the backend may be given at once by each data plane, over all of its workers; beyond it requests are refused at once.',
  example: '{ requests: 500 }',
  optional: {
    requests: Int({
      about: 'Requests that may be under way.',
      example: '500',
      absent: 'no bound',
      min: 1,
      max: 1_000_000,
    }),
  },
  rules: [atLeastOne(['requests'], 'Write a bound, such as requests: 500, or leave circuit out.')],
})

const OutliersSchema = Fields({
  about:
    'Takes an endpoint out of use that fails where others do not, for a while. A 5xx and no answer at all are failures.',
  example: '{ errors: 5, ejection: 30s }',
  optional: {
    errors: Int({ about: 'Failures in a row.', example: '5', absent: '5', min: 1, max: 1000 }),
    gatewayErrors: Int({
      about: 'Of 502, 503, 504 and no answer at all, in a row.',
      example: '3',
      absent: 'they count as the other failures',
      min: 1,
      max: 1000,
    }),
    successRate: Share({
      about: 'Part of its answers within 10 s, of 20 or more, that must not be failures.',
      example: '80%',
      absent: 'no share is demanded',
    }),
    ejection: Duration({
      about: 'How long it is out, times the ejections that have followed each other.',
      example: '30s',
      absent: '30s',
    }),
    ejectionMax: Duration({ about: 'The longest that it is out.', example: '5m', absent: '5m' }),
    share: Share({
      about:
        'Part of the endpoints that may be out; one may be in any case, where another is left.',
      example: '50%',
      absent: '50%',
    }),
  },
})

const HealthSchema = Fields({
  about: 'Which endpoints are used.',
  example: '{ outliers: { errors: 5 }, panic: 50% }',
  required: { outliers: OutliersSchema },
  optional: {
    panic: Share({
      about: 'Where a smaller part of the endpoints is left, all are used.',
      example: '50%',
      absent: '50%',
    }),
  },
})
export type HealthSpec = Spec<typeof HealthSchema>

export const ApiBackendSchema = Fields({
  about: 'Who answers, and how it is to be treated.',
  example: '{ service: { name: books, port: 80 }, circuit: { requests: 500 } }',
  required: { service: ServiceRefSchema },
  optional: { circuit: CircuitSchema, health: HealthSchema },
})
export type ApiBackendSpec = Spec<typeof ApiBackendSchema>
