/**
 * Secrets that a resource names: found, readable, of the type that fits the use, and with the key
 * that is read. Whatever is wrong is told with the command that mends it.
 * Pinned by secret.test.ts: "a Secret is used only if its type fits the use".
 */
import type { SecretKeyRefSpec } from '../../crds/reference.ts'
import { textOf } from './content.ts'
import { type Checked, type FieldPath, unusable } from './problem.ts'
import type { Resource, SecretBytes } from './snapshot.ts'
import type { ReferenceFrom, StepWithin } from './steps.ts'

export interface SecretUse {
  readonly from: ReferenceFrom['kind']
  readonly type: string
  /** Read where the reference names no other. */
  readonly key: string
}

export interface ResolvedSecret {
  /** Key of the table object: `namespace/name:key`. */
  readonly key: string
  readonly bytes: SecretBytes
}

export function resolveSecret(
  ref: SecretKeyRefSpec,
  at: FieldPath<SecretKeyRefSpec>,
  use: SecretUse,
  within: StepWithin,
): Checked<ResolvedSecret | null> {
  const namespace = ref.namespace ?? within.namespace
  const refusal = within.grants.refusal(
    { kind: use.from, namespace: within.namespace },
    { kind: 'Secret', namespace, name: ref.name },
  )
  if (refusal !== null) return unusable(at.child('namespace').problem('RefNotPermitted', refusal))
  const forbidden = within.reader.secretsForbidden(namespace)
  if (forbidden !== null) return unusable(at.problem('SecretInvalid', forbidden))
  const secret = within.reader.get('Secret', namespace, ref.name)
  const wanted = { name: ref.name, namespace, key: ref.key ?? use.key, type: use.type }
  const sentence = reasonAgainst(secret, wanted)
  if (sentence !== null) return unusable(at.problem('SecretInvalid', sentence))
  const bytes = secret?.secrets?.get(wanted.key)
  if (bytes === undefined) return unusable(at.problem('SecretInvalid', withoutKey(wanted)))
  return { value: { key: `${namespace}/${ref.name}:${wanted.key}`, bytes }, problems: [] }
}

interface Wanted {
  readonly name: string
  readonly namespace: string
  readonly key: string
  readonly type: string
}

function reasonAgainst(secret: Resource | null, wanted: Wanted): string | null {
  const { name, namespace, type } = wanted
  const named = `Secret "${name}" in namespace "${namespace}"`
  const create = commandFor(wanted)
  if (secret === null) return `There is no ${named}; create it: ${create}`
  const present = textOf(secret.content['type']) ?? 'Opaque'
  if (present === type) return null
  return (
    `The ${named} has type ${present} instead of ${type}, which cannot be changed; ` +
    `delete it and create it anew: ${create}`
  )
}

const TLS_TYPE = 'kubernetes.io/tls'

function commandFor({ name, namespace, key, type }: Wanted): string {
  const create = `kubectl -n ${namespace} create secret`
  // The API server wants both parts of a certificate at once.
  if (type === TLS_TYPE) return `${create} tls ${name} --cert=FILE --key=FILE`
  return `${create} generic ${name} --type=${type} --from-file=${key}=FILE`
}

/** Keys of a certificate have fixed names: no reference could name another. */
function withoutKey(wanted: Wanted): string {
  const { name, namespace, key, type } = wanted
  const mend =
    type === TLS_TYPE
      ? `delete it and create it anew: ${commandFor(wanted)}`
      : 'add it, or name the key that is meant.'
  return `The Secret "${name}" in namespace "${namespace}" has no key "${key}"; ${mend}`
}
