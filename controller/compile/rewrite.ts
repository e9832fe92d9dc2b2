/**
 * Paths that a rule builds from what its matches captured: `rewrite` and `redirect`. Whatever they
 * name must be captured by every match of the rule, since any of them may have taken the request.
 * Pinned by rewrite.test.ts: "what one match does not capture cannot be used".
 */
import type { RewriteSpec } from '../../crds/api-route.ts'
import type { PathRewrite, Rewrite } from '#wire/table'
import type { Captures } from './match.ts'
import { parsePathRewrite } from './path-pattern.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { didYouMean } from './suggest.ts'

export function compileRewrite(
  spec: RewriteSpec,
  at: FieldPath<RewriteSpec>,
  captures: readonly Captures[],
): Checked<Rewrite> {
  const host = spec.host ?? null
  if (spec.path === undefined) return { value: { path: null, host }, problems: [] }
  const path = compilePathRewrite(spec.path, at.child('path'), captures)
  return { value: { path: path.value, host }, problems: path.problems }
}

export function compilePathRewrite(
  text: string,
  at: FieldPath<string>,
  captures: readonly Captures[],
): Checked<PathRewrite | null> {
  const parsed = parsePathRewrite(text)
  if (parsed.kind === 'refused') {
    return { value: null, problems: [at.problem('Invalid', parsed.because)] }
  }
  const problems = parsed.parts.flatMap((part): Problem[] => {
    if ('literal' in part) return []
    const sentence = 'rest' in part ? missingRest(captures) : missingParam(part.param, captures)
    return sentence === null ? [] : [at.problem('Invalid', sentence)]
  })
  return { value: problems.length > 0 ? null : parsed.parts, problems }
}

function missingRest(captures: readonly Captures[]): string | null {
  const without = captures.find(({ rest }) => rest === 'absent')
  if (without === undefined) return null
  return (
    `"**" stands for what a match with "/**" captured, and ${without.at.text} has none; ` +
    'end its path in "/**", or give that match a rule of its own.'
  )
}

function missingParam(name: string, captures: readonly Captures[]): string | null {
  const without = captures.find(({ params }) => !params.has(name))
  if (without === undefined) return null
  const hint = didYouMean(name, without.params)
  return (
    `"{${name}}" is not captured by ${without.at.text}${hint === '' ? '.' : hint} ` +
    'Every match of the rule must capture it; name it there, or give that match its own rule.'
  )
}
