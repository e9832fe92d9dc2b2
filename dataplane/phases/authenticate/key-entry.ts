/**
 * One apiKey entry: which Consumers it accepts, and who they are as callers. Whether its selector
 * fits a Consumer is found out once for each.
 * Pinned by key-entry.test.ts: "a selector fits as the plain reading of Kubernetes says".
 */
import type { ApiKeyEntry, Consumer, LabelSelector } from '#wire/auth'
import { anonymousCaller, type Caller } from './caller.ts'

export class KeyEntry {
  readonly takesOwn: boolean
  /** Null where it takes no imported keys. */
  readonly pepper: Buffer | null
  readonly #entry: ApiKeyEntry
  readonly #callers = new WeakMap<Consumer, { readonly caller: Caller | null }>()

  constructor(entry: ApiKeyEntry, pepper: Buffer | null) {
    this.#entry = entry
    this.takesOwn = entry.formats.includes('fairlead')
    this.pepper = pepper
  }

  accepts(namespace: string): boolean {
    return this.#entry.namespaces.includes(namespace)
  }

  /** Null: it does not accept keys of this Consumer. */
  callerOf(consumer: Consumer): Caller | null {
    const before = this.#callers.get(consumer)
    if (before !== undefined) return before.caller
    const caller = accepts(this.#entry, consumer) ? callerOf(this.#entry.name, consumer) : null
    this.#callers.set(consumer, { caller })
    return caller
  }
}

function callerOf(method: string, consumer: Consumer): Caller {
  return { ...anonymousCaller(method), anonymous: false, consumer, groups: consumer.groups }
}

function accepts({ namespaces, selector }: ApiKeyEntry, consumer: Consumer): boolean {
  return namespaces.includes(consumer.namespace) && fits(selector, consumer.labels)
}

/** As Kubernetes reads a label selector: all must hold, and nothing asked holds always. */
function fits(selector: LabelSelector, labels: Consumer['labels']): boolean {
  const label = (name: string): string | null =>
    Object.hasOwn(labels, name) ? (labels[name] ?? null) : null
  return (
    selector.matchLabels.every(({ name, value }) => label(name) === value) &&
    selector.matchExpressions.every((expression) => holds(expression, label(expression.name)))
  )
}

function holds(
  { operator, values }: LabelSelector['matchExpressions'][number],
  label: string | null,
): boolean {
  switch (operator) {
    case 'In':
      return label !== null && values.includes(label)
    case 'NotIn':
      return label === null || !values.includes(label)
    case 'Exists':
      return label !== null
    case 'DoesNotExist':
      return label === null
    default:
      return operator satisfies never
  }
}
