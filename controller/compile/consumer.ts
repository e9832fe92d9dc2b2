/**
 * Consumers and their keys, as a table holds them. One that cannot be used is not in the table:
 * nobody is this consumer, and the key opens nothing.
 * Pinned by consumer.test.ts: "a key leads to a Consumer that exists and may be named".
 */
import type { ConsumerSpec } from '../../crds/consumer.ts'
import type { Consumer } from '#wire/auth'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { momentMs } from './quantity.ts'
import type { CompileApiKey, CompileConsumer } from './steps.ts'
import { notSupportedYet } from './supported.ts'

export const compileConsumer: CompileConsumer = (spec, at, resource) => {
  const identities = compileIdentities(spec, at)
  const problems = [...notSupportedYet('consumer', spec, at), ...identities.problems]
  if (problems.length > 0) return { value: null, problems }
  const value: Consumer = {
    namespace: resource.namespace,
    name: resource.name,
    displayName: spec.displayName ?? resource.name,
    labels: sorted(resource.labels),
    state: spec.state ?? 'Active',
    groups: [...new Set(spec.groups ?? [])],
    externalIds: sorted(spec.externalIds ?? {}),
    identities: identities.value,
  }
  return { value, problems }
}

type Texts = { readonly [name: string]: string }

function sorted(texts: Texts): Texts {
  return Object.fromEntries(Object.entries(texts).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function compileIdentities(
  spec: ConsumerSpec,
  at: FieldPath<ConsumerSpec>,
): Checked<Consumer['identities']> {
  const value: Consumer['identities'][number][] = []
  const problems: Problem[] = []
  for (const [i, identity] of (spec.identities ?? []).entries()) {
    const { issuer, claim, value: text, certificate } = identity
    if (certificate !== undefined) continue // told by notSupportedYet
    if (issuer === undefined || claim === undefined || text === undefined) {
      const place = at.child('identities').index(i)
      problems.push(place.problem('Invalid', 'Write issuer, claim and value, or a certificate.'))
      continue
    }
    value.push({ issuer, claim, value: text })
  }
  return { value, problems }
}

export const compileApiKey: CompileApiKey = (spec, at, within) => {
  const problems: Problem[] = [...notSupportedYet('apiKey', spec, at)]
  const { name, namespace = within.namespace } = spec.consumerRef
  const place = at.child('consumerRef')
  const refusal = within.grants.refusal(
    { kind: 'ApiKey', namespace: within.namespace },
    { kind: 'Consumer', namespace, name },
  )
  if (refusal !== null) {
    problems.push(place.child('namespace').problem('RefNotPermitted', refusal))
  } else if (within.reader.get('Consumer', namespace, name) === null) {
    const sentence = `There is no Consumer "${name}" in namespace "${namespace}"; create it, or correct the reference.`
    problems.push(place.child('name').problem('TargetNotFound', sentence))
  }
  const expiresAtMs = spec.expiresAt === undefined ? null : momentMs(spec.expiresAt)
  if (spec.expiresAt !== undefined && (expiresAtMs === null || expiresAtMs < 0)) {
    const sentence = `"${spec.expiresAt}" is no moment; write one such as "2027-01-01T00:00:00Z".`
    problems.push(at.child('expiresAt').problem('Invalid', sentence))
  }
  if (problems.length > 0) return { value: null, problems }
  const { sha256, format = 'fairlead' } = spec
  return { value: { consumer: `${namespace}/${name}`, sha256, format, expiresAtMs }, problems }
}
