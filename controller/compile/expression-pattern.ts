/**
 * RE2 patterns as users write them, in routes and in `matches`: what cannot be compiled, or could
 * take too long on a hostile input, is a problem.
 * Pinned by expression.test.ts: "a pattern beyond its bounds is too expensive".
 */
import { RE2JS } from '@bufbuild/re2'
import { utf8Bytes } from '#wire/expression-text'
import { PATTERN_BYTES_MAX, PATTERN_INSTRUCTIONS_MAX } from '#wire/limits'
import { countedInstructions } from '#wire/pattern-text'
import { expensive, invalid, type Fault } from './expression-syntax.ts'

export function patternFault(pattern: string): Fault | null {
  const compiled = compilePattern(pattern)
  return compiled.kind === 'fault' ? compiled.fault : null
}

export type CompiledPattern =
  | { readonly kind: 'pattern'; readonly groups: readonly string[] }
  | { readonly kind: 'fault'; readonly fault: Fault }

export function compilePattern(pattern: string): CompiledPattern {
  if (utf8Bytes(pattern) > PATTERN_BYTES_MAX) {
    return fault(expensive(0, `the pattern is longer than ${PATTERN_BYTES_MAX} bytes`))
  }
  if (countedInstructions(pattern) > PATTERN_INSTRUCTIONS_MAX) return TOO_LARGE
  try {
    const compiled = RE2JS.compile(pattern)
    if (compiled.re2().prog.numInst() > PATTERN_INSTRUCTIONS_MAX) return TOO_LARGE
    return { kind: 'pattern', groups: [...compiled.namedGroups().keys()] }
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return fault(
      invalid(0, `the pattern is no RE2: ${because.replace(/^error parsing regexp: /, '')}`),
    )
  }
}

const TOO_LARGE = fault(
  expensive(
    0,
    `the pattern compiles to more than ${PATTERN_INSTRUCTIONS_MAX} steps; make its repetitions smaller`,
  ),
)

function fault(what: Fault): CompiledPattern {
  return { kind: 'fault', fault: what }
}
