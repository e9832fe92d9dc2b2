/**
 * One `apiKey` entry of `authenticate`: where the key is, and whose keys are accepted. Consumers of
 * other namespaces are accepted only where a ReferenceGrant there says so.
 * Pinned by auth-api-key.test.ts: "absent namespaces mean the policy's own".
 */
import type { ApiKeyAuthenticationSpec } from '../../crds/authenticate.ts'
import type { SelectorSpec } from '../../crds/reference.ts'
import type { ApiKeyEntry, Carrier, LabelSelector } from '#wire/auth'
import { compileCarriers } from './carrier.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { type ResolvedSecret, resolveSecret } from './secret.ts'
import type { StepWithin } from './steps.ts'

export interface CompiledApiKey {
  readonly entry: ApiKeyEntry
  readonly secret: ResolvedSecret | null
}

type At = FieldPath<ApiKeyAuthenticationSpec>

const HEADER: readonly Carrier[] = [{ kind: 'header', name: 'x-api-key', scheme: null }]
export const PEPPER_TYPE = 'fairlead.dev/pepper'

export function compileApiKeyEntry(
  name: string,
  spec: ApiKeyAuthenticationSpec,
  at: At,
  within: StepWithin,
): Checked<CompiledApiKey> {
  const from =
    spec.from === undefined
      ? { value: HEADER, problems: [] }
      : compileCarriers(spec.from, at.child('from'))
  const namespaces = compileNamespaces(spec, at, within)
  const pepper = compilePepper(spec, at, within)
  const entry: ApiKeyEntry = {
    kind: 'apiKey',
    name,
    from: from.value,
    namespaces: namespaces.value,
    selector: selectorOf(spec.consumers?.selector ?? {}),
    formats: formatsOf(spec),
    pepper: pepper.value?.key ?? null,
  }
  return {
    value: { entry, secret: pepper.value },
    problems: [...from.problems, ...namespaces.problems, ...pepper.problems],
  }
}

function formatsOf(spec: ApiKeyAuthenticationSpec): ApiKeyEntry['formats'] {
  return [...new Set(spec.formats ?? (['fairlead'] as const))]
}

function compileNamespaces(
  spec: ApiKeyAuthenticationSpec,
  at: At,
  within: StepWithin,
): Checked<readonly string[]> {
  const value = new Set<string>()
  const problems: Problem[] = []
  for (const [i, namespace] of (spec.consumers?.namespaces ?? [within.namespace]).entries()) {
    const refusal = within.grants.refusal(
      { kind: 'AuthPolicy', namespace: within.namespace },
      { kind: 'Consumer', namespace, name: null },
    )
    if (refusal === null) {
      value.add(namespace)
      continue
    }
    const place = at.child('consumers').child('namespaces').index(i)
    problems.push(place.problem('RefNotPermitted', refusal))
  }
  return { value: [...value].toSorted(), problems }
}

function compilePepper(
  spec: ApiKeyAuthenticationSpec,
  at: At,
  within: StepWithin,
): Checked<ResolvedSecret | null> {
  const imported = formatsOf(spec).includes('imported')
  if (spec.pepperSecretRef === undefined) {
    if (!imported) return { value: null, problems: [] }
    const sentence = 'Imported keys are hashed with a pepper; name its Secret in pepperSecretRef.'
    return { value: null, problems: [at.child('formats').problem('Invalid', sentence)] }
  }
  const place = at.child('pepperSecretRef')
  if (!imported) {
    const sentence = 'Only the format imported has a pepper; remove it, or add the format.'
    return { value: null, problems: [place.problem('Invalid', sentence)] }
  }
  const use = { from: 'AuthPolicy', type: PEPPER_TYPE, key: 'pepper' } as const
  return resolveSecret(spec.pepperSecretRef, place, use, within)
}

function selectorOf(spec: SelectorSpec): LabelSelector {
  const labels = spec.matchLabels ?? {}
  return {
    matchLabels: Object.keys(labels)
      .toSorted()
      .map((name) => ({ name, value: labels[name] ?? '' })),
    matchExpressions: (spec.matchExpressions ?? []).map(({ key, operator, values }) => ({
      name: key,
      operator,
      values: values ?? [],
    })),
  }
}
