/**
 * One `authorize` entry: scopes or an expression that must hold, and the answer to those for whom it
 * does not.
 * Pinned by authorize.test.ts: "what an answer does not say has the documented default".
 */
import type { AuthorizeEntrySpec, DenyAnswerSpec } from '../../crds/auth-policy.ts'
import { type Authorize, DENY_DETAIL, type DenyAnswer, SCOPES_DETAIL } from '#wire/auth'
import type { Expression } from '#wire/value'
import { checkExpression } from './expression.ts'
import type { Checked, FieldPath } from './problem.ts'

type At = FieldPath<AuthorizeEntrySpec>

/** Null where nothing of it can be enforced: then no request of the targets may pass. */
export function compileAuthorize(spec: AuthorizeEntrySpec, at: At): Checked<Authorize | null> {
  const require = expressionOf(spec, at, 'require')
  const when = expressionOf(spec, at, 'when')
  const problems = [...require.problems, ...when.problems]
  const stated = [spec.scopes, spec.require, spec.external].flatMap((part) => part ?? [])
  if (stated.length === 0) {
    const sentence = 'Write exactly one of scopes, require, external, disabled.'
    return { value: null, problems: [...problems, at.problem('Invalid', sentence)] }
  }
  if (problems.length > 0) return { value: null, problems }
  const value: Authorize = {
    scopes: [...new Set(spec.scopes ?? [])],
    require: require.value,
    when: when.value,
    deny: denyOf(spec.deny ?? {}, spec.scopes === undefined ? FORBIDDEN : INSUFFICIENT_SCOPE),
  }
  return { value, problems }
}

function expressionOf(
  spec: AuthorizeEntrySpec,
  at: At,
  field: 'require' | 'when',
): Checked<Expression | null> {
  const text = spec[field]
  if (text === undefined) return { value: null, problems: [] }
  const within = { place: 'policy', expects: 'bool' } as const
  const { value, problems } = checkExpression(text, at.child(field), within)
  return { value: value === null ? null : text, problems }
}

const FORBIDDEN: DenyAnswer = { status: 403, cause: 'forbidden', detail: DENY_DETAIL }
const INSUFFICIENT_SCOPE: DenyAnswer = {
  status: 403,
  cause: 'insufficient-scope',
  detail: SCOPES_DETAIL,
}

function denyOf(spec: DenyAnswerSpec, byDefault: DenyAnswer): DenyAnswer {
  return {
    status: spec.status ?? byDefault.status,
    cause: spec.cause ?? byDefault.cause,
    detail: spec.detail ?? byDefault.detail,
  }
}
