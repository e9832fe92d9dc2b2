/**
 * Consumers and their keys, by the namespace of the consumer: a table holds those that a policy of it
 * accepts. Of two ApiKeys with one hash the older holds, wherever they are; of two Consumers with one
 * identity see identities.ts.
 * Pinned by consumers.test.ts: "of two keys with one hash the older opens".
 */
import { type Aged, olderFirst } from './precedence.ts'
import type { ApiKey } from '#wire/auth'
import type { InForceSteps, Ingredients, SimpleInForce } from './in-force.ts'
import { keepIf, type Step } from './memo.ts'
import { type Taken, createIdentities, withoutTaken } from './identities.ts'
import { keyOf, namesOf } from './resolve.ts'
import { sameItems } from './chunks.ts'
import { keepSealed, type Sealed, sourceOf } from './seal.ts'

export interface ConsumerSteps {
  /** Keyed by namespace: its consumers, and the keys that lead to them. */
  readonly objects: Step<readonly Sealed[]>
  /** Keyed '': hash → `namespace/name` of the ApiKey that holds it. */
  readonly holders: Step<ReadonlyMap<string, string>>
  /** See IdentitySteps. */
  readonly taken: Step<readonly Taken[] | null>
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
  const holders = memo.step<ReadonlyMap<string, string>>({
    name: 'holders of hashes',
    run(_, at) {
      const oldest = new Map<string, Aged>()
      for (const chunk of at.ask(inForce.keys, 'ApiKey')) {
        for (const key of at.askAll(inForce.apiKey, chunk)) addOldest(oldest, key)
      }
      return new Map(
        [...oldest].map(([hash, { namespace, name }]) => [hash, keyOf(namespace, name)]),
      )
    },
  })
  const keyObject = memo.step<Sealed | null>({
    name: 'key object',
    keep: keepSealed,
    run(key, at) {
      const found = at.ask(inForce.apiKey, key)
      if (found === null || found.value === null) return null
      if (at.ask(holders, '').get(found.value.sha256) !== key) return null
      if (at.ask(consumerObject, found.value.consumer) === null) return null
      const sources = [sourceOf(found.resource)]
      return sealer.seal({ kind: 'apiKey', key, sources, value: found.value })
    },
  })
  const byNamespace = memo.step<ReadonlyMap<string, readonly Sealed[]>>({
    name: 'keys by namespace of the consumer',
    run(_, at) {
      const found = new Map<string, Sealed[]>()
      for (const key of at.ask(holders, '').values()) {
        const sealed = at.ask(keyObject, key)
        if (sealed?.object.kind !== 'apiKey') continue
        const { namespace } = namesOf(sealed.object.value.consumer)
        const others = found.get(namespace)
        if (others === undefined) found.set(namespace, [sealed])
        else others.push(sealed)
      }
      return found
    },
  })
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
  return { objects, holders, taken }
}

function addOldest(oldest: Map<string, Aged>, key: SimpleInForce<ApiKey> | null): void {
  if (key === null || key.value === null) return
  const other = oldest.get(key.value.sha256)
  const older = other === undefined || olderFirst(key.resource, other) < 0
  if (older) oldest.set(key.value.sha256, key.resource)
}
