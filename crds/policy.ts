/**
 * The rules that all policies share: bare fields or `defaults`, and `overrides` beside either.
 * Proved by decode.test.ts.
 */
import { alone, atLeastOne } from './rule.ts'
import type { Rule } from './schema.ts'

export function bareOrDefaults(fields: readonly string[]): readonly Rule<object>[] {
  const list = fields.join(', ')
  return [
    alone(
      'defaults',
      fields,
      `Bare fields are the defaults: write ${list} bare or under defaults, not both.`,
    ),
    atLeastOne(
      [...fields, 'defaults', 'overrides'],
      `The policy states nothing: write ${list}, or some of them under overrides.`,
    ),
  ]
}
