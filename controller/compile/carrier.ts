/**
 * Where credentials are looked for. A place that two entries read must tell by the credential itself
 * whose it is, since no order between entries ever decides: JWTs name their issuer, keys do not.
 * Pinned by carrier.test.ts: "two entries that could claim one credential are refused".
 */
import type { CarrierSpec } from '../../crds/carrier.ts'
import type { AuthenticateEntry, Carrier } from '#wire/auth'
import { headerName } from './header-name.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'

export function compileCarriers(
  specs: readonly CarrierSpec[],
  at: FieldPath<readonly CarrierSpec[]>,
): Checked<readonly Carrier[]> {
  const value: Carrier[] = []
  const problems: Problem[] = []
  for (const [i, spec] of specs.entries()) {
    const carrier = compileCarrier(spec, at.index(i))
    problems.push(...carrier.problems)
    if (carrier.value === null) continue
    const twice = value.some((other) => overlap(other, carrier.value))
    if (twice) {
      const sentence = 'This place is already read by an earlier item of the list; remove one.'
      problems.push(at.index(i).problem('Invalid', sentence))
      continue
    }
    value.push(carrier.value)
  }
  return { value, problems }
}

function compileCarrier(spec: CarrierSpec, at: FieldPath<CarrierSpec>): Checked<Carrier | null> {
  if (spec.cookie !== undefined) {
    return { value: { kind: 'cookie', name: spec.cookie.name }, problems: [] }
  }
  if (spec.queryParam !== undefined) {
    return { value: { kind: 'queryParam', name: spec.queryParam.name }, problems: [] }
  }
  if (spec.header === undefined) {
    const problem = at.problem('Invalid', 'Write exactly one of header, cookie, queryParam.')
    return { value: null, problems: [problem] }
  }
  const name = headerName(spec.header.name)
  if (name.kind === 'refused') {
    const problem = at.child('header').child('name').problem('Invalid', name.because)
    return { value: null, problems: [problem] }
  }
  const scheme = spec.header.scheme ?? null
  return { value: { kind: 'header', name: name.name, scheme }, problems: [] }
}

/** A header without a scheme is read whole, so that it overlaps with every scheme of that header. */
function overlap(one: Carrier, other: Carrier | null): boolean {
  if (other === null || one.name !== other.name) return false
  if (one.kind !== 'header' || other.kind !== 'header') return one.kind === other.kind
  if (one.scheme === null || other.scheme === null) return true
  return one.scheme.toLowerCase() === other.scheme.toLowerCase()
}

/** The name of an earlier entry that reads a place of this one and could claim its credential. */
export function claimant(
  entry: AuthenticateEntry,
  earlier: readonly AuthenticateEntry[],
): string | null {
  if (entry.kind === 'anonymous') return null
  for (const other of earlier) {
    if (other.kind === 'anonymous') continue
    if (entry.kind === 'jwt' && other.kind === 'jwt') continue
    const shared = entry.from.some((one) => other.from.some((two) => overlap(one, two)))
    if (shared) return other.name
  }
  return null
}
