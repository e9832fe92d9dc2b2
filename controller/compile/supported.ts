/**
 * The fields that the schemas have and this release does not act on. A resource that uses one is told
 * so (NotSupportedYet at its path) and fails closed: what was meant to restrict, encrypt or retry must
 * not silently do nothing. The table shrinks with every release; a field that leaves it works.
 * Pinned by supported.test.ts: "every field of the table gives NotSupportedYet at its own path".
 */
import { FieldPath, type Problem } from './problem.ts'

/** The part of a spec that the paths of a list start from. */
export type Part = 'route' | 'rule' | 'authPart' | 'limitPart' | 'gateway' | 'consumer' | 'apiKey'

export interface NotYet {
  /** `*` is any key of a map and any item of a list. */
  readonly path: string
  /** Only these values; absent: the field at all. */
  readonly values?: readonly string[]
  /** What to do without it. */
  readonly instead: string
}

const REMOVE = 'Remove it until a release supports it.'
const LOCAL = 'Write local, or leave it out: each data plane takes its share of the limit.'
const OTHER_METHOD = 'Use jwt, apiKey or anonymous until then.'

export const NOT_SUPPORTED_YET = {
  gateway: [],
  route: [],
  rule: [
    { path: 'batch', instead: 'Use backends or an aggregate until then.' },
    { path: 'readBody', instead: REMOVE },
    { path: 'cache.tags', instead: 'Choose a short ttl until then.' },
    { path: 'affinity', instead: REMOVE },
    { path: 'validate', instead: REMOVE },
    { path: 'callout', instead: REMOVE },
    { path: 'lifecycle', instead: REMOVE },
    { path: 'allowPath', instead: REMOVE },
    { path: 'aggregate.calls.*.cache', instead: REMOVE },
    { path: 'aggregate.calls.*.detached', instead: 'Give the call a fallback until then.' },
  ],
  authPart: [
    { path: 'authenticate.*.basic', instead: OTHER_METHOD },
    { path: 'authenticate.*.mtls', instead: OTHER_METHOD },
    { path: 'authenticate.*.introspection', instead: OTHER_METHOD },
    { path: 'authenticate.*.serviceAccount', instead: OTHER_METHOD },
    { path: 'authenticate.*.hmac', instead: OTHER_METHOD },
    { path: 'authenticate.*.oidc', instead: OTHER_METHOD },
    { path: 'authorize.*.external', instead: 'Use require with a CEL expression until then.' },
  ],
  limitPart: [
    { path: 'limits.*.accuracy', values: ['exact', 'leased'], instead: LOCAL },
    { path: 'onStoreFailure', values: ['allow', 'deny'], instead: LOCAL },
  ],
  consumer: [
    { path: 'identities.*.certificate', instead: 'Use an identity with issuer, claim and value.' },
    { path: 'members', instead: REMOVE },
  ],
  apiKey: [],
} as const satisfies Readonly<Record<Part, readonly NotYet[]>>

/** Every use of such a field in the value, in the order of the table. */
export function notSupportedYet(
  part: Part,
  value: unknown,
  at: { readonly text: string },
): readonly Problem[] {
  const list: readonly NotYet[] = NOT_SUPPORTED_YET[part]
  return list.flatMap((field) =>
    places(value, field.path.split('.'), new FieldPath<unknown>(at.text))
      .filter((place) => isUsed(place.value, field))
      .map((place) => place.at.problem('NotSupportedYet', sentenceOf(place.value, field))),
  )
}

interface Place {
  readonly value: unknown
  readonly at: FieldPath<unknown>
}

function places(
  value: unknown,
  steps: readonly string[],
  at: FieldPath<unknown>,
): readonly Place[] {
  const [step, ...rest] = steps
  if (step === undefined) return value === undefined ? [] : [{ value, at }]
  if (typeof value !== 'object' || value === null) return []
  if (step !== '*') return places(Reflect.get(value, step), rest, at.key(step))
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, i) => places(item, rest, at.index(i)))
  }
  return Object.entries(value).flatMap(([key, item]) => places(item, rest, at.key(key)))
}

function isUsed(value: unknown, field: NotYet): boolean {
  return field.values === undefined || field.values.some((unsupported) => unsupported === value)
}

function sentenceOf(value: unknown, field: NotYet): string {
  const what = field.values === undefined ? 'This field' : `The value ${String(value)}`
  return `${what} is not supported by this release. ${field.instead}`
}
