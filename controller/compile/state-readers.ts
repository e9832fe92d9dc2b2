/**
 * Whether anything asks for the state of Consumers: a Consumer is only kept out by a policy that
 * does, so one that is suspended where nobody asks is served as before, and is told so.
 * Pinned by judge-consumer.test.ts: "a suspended Consumer is told when nothing asks for its state".
 */
import type { InForceSteps, Ingredients } from './in-force.ts'
import { keepIf, type Step } from './memo.ts'
import { namesOf } from './resolve.ts'

export type StateRead = 'somewhere' | 'nowhere'

/** Their expressions may read `consumer`. */
const KINDS = ['AuthPolicy', 'RateLimitPolicy', 'ApiRoute'] as const

/** In any expression or template; where it only looks so, a warning is lacking, no more. */
const STATE = /\bconsumer\s*(\?\s*)?(\.\s*\??\s*state\b|\[\s*["']state["']\s*\])/

/** Keyed ''. */
export function createStateReaders({ memo }: Ingredients, inForce: InForceSteps): Step<StateRead> {
  const ofKind = KINDS.map((kind) => ({
    kind,
    reads: memo.step<StateRead>({
      name: `state read by ${kind}`,
      run(key, at) {
        const { namespace, name } = namesOf(key)
        const content = at.reader.get(kind, namespace, name)?.content ?? {}
        return reads(content['spec']) ? 'somewhere' : 'nowhere'
      },
    }),
  }))
  return memo.step<StateRead>({
    name: 'state read',
    keep: keepIf((a, b) => a === b),
    run(_, at) {
      for (const { kind, reads: of } of ofKind) {
        for (const chunk of at.ask(inForce.keys, kind)) {
          if (at.askAll(of, chunk).includes('somewhere')) return 'somewhere'
        }
      }
      return 'nowhere'
    },
  })
}

function reads(value: unknown): boolean {
  if (typeof value === 'string') return STATE.test(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(reads)
}
