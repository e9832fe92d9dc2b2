/**
 * What the policies in effect at a rule make of it: who may pass, what is limited, or why it answers
 * 503. The one place that decides whether a rule may be open. A pure function.
 * Pinned by effect.test.ts: "a rule is open only where it is public or its gateway says optional".
 */
import type { RuleAuth } from '#wire/auth'
import type { Reject } from '#wire/value'
import type { Effective, InEffect, PolicyShape } from './attach.ts'
import { entryId, unitId } from './policy-in-force.ts'

/** Both kinds of policies at one rule. */
export interface Holding {
  readonly auth: InEffect
  readonly limits: InEffect
  /** Policies that name a rule which the route does not have, where no other of the kind attaches. */
  readonly astray: readonly PolicyShape[]
}

export interface Effect {
  readonly auth: RuleAuth
  /** Keys, in the order in which they are taken. */
  readonly limits: readonly string[]
  /** Objects of policies that the rule refers to. */
  readonly uses: readonly PolicyUse[]
  /** Refs of the policies that make it answer 503. */
  readonly refusedBy: readonly string[]
}

export interface PolicyUse {
  readonly ref: string
  readonly id: string
}

/** `allowed`: the rule or its route is public, or the gateway says `auth: optional`. */
export type Absence = 'allowed' | 'refused'

export function effectOf(holding: Holding, absence: Absence): Effect {
  const broken = [holding.auth.broken, holding.limits.broken, ...holding.astray].filter(
    (policy) => policy !== null,
  )
  if (broken.length > 0) return refusing(POLICY_INVALID, broken)
  const auth = authOf(holding.auth, absence)
  if (auth.kind === 'reject') return refusing(auth, [])
  const limits = holding.limits.entries
  return {
    auth,
    limits: limits.map(({ policy, name }) => `${policy.key}/${name}`),
    uses: [
      ...authUses(holding.auth),
      ...limits.map((entry) => ({ ref: entry.policy.ref, id: entryId('limit', entry) })),
    ],
    refusedBy: [],
  }
}

/** Nobody is served, so that there is nothing to limit. */
function refusing(auth: Reject, by: readonly PolicyShape[]): Effect {
  return { auth, limits: [], uses: [], refusedBy: by.map(({ ref }) => ref) }
}

const POLICY_INVALID: Reject = {
  kind: 'reject',
  status: 503,
  cause: 'policy-invalid',
  because: 'A policy of this API cannot be enforced; its status says why.',
}

const POLICY_MISSING: Reject = {
  kind: 'reject',
  status: 503,
  cause: 'policy-missing',
  because: 'This API has no policy that says who may call it, and is not public.',
}

function authOf({ units, entries }: InEffect, absence: Absence): RuleAuth {
  if (!units.has('authenticate')) {
    if (absence === 'refused') return POLICY_MISSING
    if (units.size === 0 && entries.length === 0) return { kind: 'open' }
  }
  return {
    kind: 'policy',
    authenticate: unitKey(units.get('authenticate')),
    authorize: entries.map(({ policy, name }) => `${policy.key}/${name}`),
    forward: unitKey(units.get('forward')),
    deny: unitKey(units.get('deny')),
  }
}

function unitKey(unit: Effective | undefined): string | null {
  return unit === undefined ? null : `${unit.policy.key}/${unit.strength}`
}

function authUses({ units, entries }: InEffect): readonly PolicyUse[] {
  return [
    ...[...units].map(([unit, held]) => ({ ref: held.policy.ref, id: unitId(unit, held) })),
    ...entries.map((entry) => ({ ref: entry.policy.ref, id: entryId('authorize', entry) })),
  ]
}
