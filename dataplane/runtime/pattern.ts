/**
 * RE2 patterns, compiled when the table arrives and bounded in size, program and input: path
 * patterns and header predicates match the whole text, `matches` in expressions finds a part.
 * Pinned by pattern.test.ts: "groups agree with the whole match, and with another engine".
 */
import { RE2JS } from '@bufbuild/re2'
import { utf8Bytes } from '#wire/expression-text'
import { PATTERN_BYTES_MAX, PATTERN_INPUT_BYTES_MAX, PATTERN_INSTRUCTIONS_MAX } from '#wire/limits'
import { countedInstructions } from '#wire/pattern-text'
import { captures } from './pattern-groups.ts'
import { createMatcher, matches } from './pattern-match.ts'
import { programOf } from './pattern-program.ts'
import type { Refused } from './prepare.ts'

export interface Pattern {
  /** The whole text. Texts longer than PATTERN_INPUT_BYTES_MAX match nothing. */
  test(text: string): boolean
  /** Named groups that took part, or null where the text does not match. Null prototype. */
  groups(text: string): Readonly<Record<string, string>> | null
  /** Any part of the text. Ask `fits` first where "no" would open a door. */
  find(text: string): boolean
}

export function preparePattern(pattern: string): Pattern | Refused {
  if (utf8Bytes(pattern) > PATTERN_BYTES_MAX) {
    return refused(`the pattern is longer than ${PATTERN_BYTES_MAX} bytes`)
  }
  const tooLarge = `the pattern compiles to more than ${PATTERN_INSTRUCTIONS_MAX} steps`
  if (countedInstructions(pattern) > PATTERN_INSTRUCTIONS_MAX) return refused(tooLarge)
  try {
    const compiled = RE2JS.compile(pattern)
    const { prog } = compiled.re2()
    if (prog.numInst() > PATTERN_INSTRUCTIONS_MAX) return refused(tooLarge)
    return patternOf(compiled)
  } catch (error) {
    return refused(`the pattern is no RE2: ${error instanceof Error ? error.message : ''}`)
  }
}

function refused(because: string): Refused {
  return { kind: 'refused', because }
}

function patternOf(compiled: RE2JS): Pattern {
  const names = [...compiled.namedGroups()]
  const matcher = createMatcher(programOf(compiled.re2().prog))
  return {
    test: (text) => fits(text) && matches(matcher, text, 'whole'),
    find: (text) => fits(text) && matches(matcher, text, 'part'),
    groups(text) {
      if (!fits(text) || !matches(matcher, text, 'whole')) return null
      const found: Record<string, string> = Object.create(null)
      if (names.length === 0) return found
      const ends = captures(matcher.program, text)
      for (const [name, group] of names) {
        const [from, to] = [ends[2 * group] ?? -1, ends[2 * group + 1] ?? -1]
        if (from !== -1 && to !== -1) found[name] = text.slice(from, to)
      }
      return found
    },
  }
}

/** Whether a pattern may see the text. Most are so short that their bytes need not be counted. */
export function fits(text: string): boolean {
  if (text.length * 3 <= PATTERN_INPUT_BYTES_MAX) return true
  return text.length <= PATTERN_INPUT_BYTES_MAX && utf8Bytes(text) <= PATTERN_INPUT_BYTES_MAX
}
