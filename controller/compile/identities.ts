/**
 * Whom an identity leads to. Of two Consumers of one namespace that state the same one, the older
 * holds it, as of two ApiKeys with one hash; the younger keeps whatever else leads to it. Otherwise
 * a second Consumer would shut the first one out, or two would be one caller. Other namespaces may
 * state it too: a policy sees only the Consumers of its own.
 * Pinned by identities.test.ts: "of two Consumers with one identity the older holds it".
 */
import type { Consumer } from '#wire/auth'
import type { InForceSteps, Ingredients, SimpleInForce } from './in-force.ts'
import { keepIf, type Step } from './memo.ts'
import { type Aged, olderFirst } from './precedence.ts'
import { keyOf } from './resolve.ts'

/** An identity that another Consumer holds. */
export interface Taken {
  /** In `spec.identities`. */
  readonly position: number
  /** `namespace/name` */
  readonly holder: string
}

export interface IdentitySteps {
  /** Keyed ` namespace/name`; null where nothing is taken from it. */
  readonly taken: Step<readonly Taken[] | null>
}

type Found = SimpleInForce<Consumer> | null

export function createIdentities({ memo }: Ingredients, inForce: InForceSteps): IdentitySteps {
  const byConsumer = memo.step<ReadonlyMap<string, readonly Taken[]>>({
    name: 'identities that others hold',
    keep: keepIf((a, b) => JSON.stringify([...a]) === JSON.stringify([...b])),
    run(_, at) {
      const found: Found[] = []
      for (const chunk of at.ask(inForce.keys, 'Consumer')) {
        found.push(...at.askAll(inForce.consumer, chunk))
      }
      return takenFrom(found)
    },
  })
  return { taken: memo.entriesOf(byConsumer) }
}

/** Separates names that may hold every other character. */
const GAP = '\u0000'

function takenFrom(found: readonly Found[]): ReadonlyMap<string, readonly Taken[]> {
  const holders = holdersOf(found)
  const taken = new Map<string, readonly Taken[]>()
  for (const one of found) {
    const lost = [...identitiesOf(one)].flatMap(([identity, position]) => {
      const holder = holders.get(identity)
      if (holder === undefined || holder === one?.resource) return []
      return [{ position, holder: keyOf(holder.namespace, holder.name) }]
    })
    if (one !== null && lost.length > 0) {
      taken.set(keyOf(one.resource.namespace, one.resource.name), lost)
    }
  }
  return taken
}

function holdersOf(found: readonly Found[]): ReadonlyMap<string, Aged> {
  const oldest = new Map<string, Aged>()
  for (const one of found) {
    if (one === null) continue
    for (const [identity] of identitiesOf(one)) {
      const other = oldest.get(identity)
      if (other === undefined || olderFirst(one.resource, other) < 0) {
        oldest.set(identity, one.resource)
      }
    }
  }
  return oldest
}

/** One that cannot be used states nothing. */
function identitiesOf(found: Found): Iterable<readonly [identity: string, position: number]> {
  if (found === null || found.value === null) return []
  const { namespace, identities } = found.value
  return identities.map(({ issuer, claim, value }, position) => [
    [namespace, issuer, claim, value].join(GAP),
    position,
  ])
}

/** What is left of a Consumer. */
export function withoutTaken(consumer: Consumer, taken: readonly Taken[] | null): Consumer {
  if (taken === null) return consumer
  const gone = new Set(taken.map(({ position }) => position))
  return { ...consumer, identities: consumer.identities.filter((_, i) => !gone.has(i)) }
}
