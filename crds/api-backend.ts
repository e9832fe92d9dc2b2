/**
 * ApiBackend: a Service with what is to hold for requests to it, whichever route they come from.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { atLeastOne } from './rule.ts'
import { Fields, Int, type Spec } from './schema.ts'
import { ServiceRefSchema } from './reference.ts'

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

export const ApiBackendSchema = Fields({
  about: 'Who answers, and how it is to be treated.',
  example: '{ service: { name: books, port: 80 }, circuit: { requests: 500 } }',
  required: { service: ServiceRefSchema },
  optional: { circuit: CircuitSchema },
})
export type ApiBackendSpec = Spec<typeof ApiBackendSchema>
