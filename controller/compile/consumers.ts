/**
 * Consumers and their keys, by the namespace of the consumer: a table holds those that a policy of it
 * accepts. Of two ApiKeys with one hash see key-holders.ts, of two Consumers with one identity see
 * identities.ts.
 * Pinned by consumers.test.ts: "of two keys with one hash the older opens".
 */
import type { InForceSteps, Ingredients } from './in-force.ts'
import { type Claim, claimOf, type Holder, holdersOf, sortedClaims } from './key-holders.ts'
import { keepIf, type Step } from './memo.ts'
import { type Taken, createIdentities, withoutTaken } from './identities.ts'
import { keyOf } from './resolve.ts'
import { sameItems } from './chunks.ts'
import { keepSealed, type Sealed, sourceOf } from './seal.ts'
import { createStateReaders, type StateRead } from './state-readers.ts'

export interface ConsumerSteps {
  /** Keyed by namespace: its consumers, and the keys that lead to them. */
  readonly objects: Step<readonly Sealed[]>
  /** Keyed by hash: the ApiKeys that open by it. */
  readonly holders: Step<readonly Holder[]>
  /** See IdentitySteps. */
  readonly taken: Step<readonly Taken[] | null>
  /** Keyed ''. */
  readonly stateRead: Step<StateRead>
}

export function createConsumers(from: Ingredients, inForce: InForceSteps): ConsumerSteps {
  const { memo, sealer } = from
  const { taken } = createIdentities(from, inForce)
  const consumerObject = memo.step<Sealed | null>({
    name: 'consumer object',
    keep: keepSealed,
    run(key, at) {
      const found = at.ask(inForce.consumer, key)
      if (found === null || found.value === null) return null
      const value = withoutTaken(found.value, at.ask(taken, ` ${key}`))
      return sealer.seal({ kind: 'consumer', key, sources: [sourceOf(found.resource)], value })
    },
  })
  const { holders, byNamespace } = keySteps(from, inForce, consumerObject)
  const objects = memo.step<readonly Sealed[]>({
    name: 'consumers of a namespace',
    keep: keepIf(sameItems),
    run(namespace, at) {
      const consumers = [...at.reader.list('Consumer', namespace).keys()].flatMap(
        (name) => at.ask(consumerObject, keyOf(namespace, name)) ?? [],
      )
      return [...consumers, ...(at.ask(byNamespace, '').get(namespace) ?? [])]
    },
  })
  return { objects, holders, taken, stateRead: createStateReaders(from, inForce) }
}

function keySteps(
  { memo, sealer }: Ingredients,
  inForce: InForceSteps,
  consumerObject: Step<Sealed | null>,
) {
  const byHash = memo.step<ReadonlyMap<string, readonly Holder[]>>({
    name: 'holders of hashes',
    run(_, at) {
      const claims: Claim[] = []
      for (const chunk of at.ask(inForce.keys, 'ApiKey')) {
        for (const key of at.askAll(inForce.apiKey, chunk)) {
          const claim = claimOf(key)
          if (claim !== null) claims.push(claim)
        }
      }
      const usable = (key: string): boolean => at.ask(consumerObject, key) !== null
      return new Map([...sortedClaims(claims)].map(([hash, all]) => [hash, holdersOf(all, usable)]))
    },
  })
  const holders = memo.step<readonly Holder[]>({
    name: 'holders of a hash',
    keep: keepIf((a, b) => JSON.stringify(a) === JSON.stringify(b)),
    run: (hash, at) => at.ask(byHash, '').get(hash) ?? [],
  })
  const keyObject = memo.step<Sealed | null>({
    name: 'key object',
    keep: keepSealed,
    run(key, at) {
      const found = at.ask(inForce.apiKey, key)
      if (found === null || found.value === null) return null
      const held = at.ask(holders, found.value.sha256).find((holder) => holder.key === key)
      if (held === undefined) return null
      const { yieldsTo } = held
      const value = yieldsTo.length === 0 ? found.value : { ...found.value, yieldsTo }
      const sources = [sourceOf(found.resource)]
      return sealer.seal({ kind: 'apiKey', key, sources, value })
    },
  })
  const byNamespace = memo.step<ReadonlyMap<string, readonly Sealed[]>>({
    name: 'keys by namespace of the consumer',
    run(_, at) {
      const found = new Map<string, Sealed[]>()
      for (const { key, namespace } of [...at.ask(byHash, '').values()].flat()) {
        const sealed = at.ask(keyObject, key)
        if (sealed === null) continue
        const others = found.get(namespace)
        if (others === undefined) found.set(namespace, [sealed])
        else others.push(sealed)
      }
      return found
    },
  })
  return { holders, byNamespace }
}
