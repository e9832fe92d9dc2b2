/**
 * Which client addresses a rule serves. The schema has seen the form of a range; what it cannot see
 * (groups of an IPv6 address) is found here.
 * Pinned by addresses.test.ts: "a range that nobody can read is refused, not left out".
 */
import type { AddressesSpec } from '../../crds/traffic.ts'
import { parseCidr } from '#wire/address'
import type { Addresses } from '#wire/traffic'
import type { Checked, FieldPath, Problem } from './problem.ts'

export function compileAddresses(
  spec: AddressesSpec,
  at: FieldPath<AddressesSpec>,
): Checked<Addresses> {
  const problems = (['allow', 'deny'] as const).flatMap((field): Problem[] =>
    (spec[field] ?? []).flatMap((range, i) => {
      if (parseCidr(range) !== null) return []
      const sentence = `"${range}" is no range of addresses; write 10.0.0.0/8 or 2001:db8::/32.`
      return [at.child(field).index(i).problem('Invalid', sentence)]
    }),
  )
  const value: Addresses =
    problems.length > 0
      ? { allow: [], deny: [] }
      : { allow: spec.allow ?? null, deny: spec.deny ?? [] }
  return { value, problems }
}
