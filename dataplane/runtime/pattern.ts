/**
 * RE2 patterns, compiled when the table arrives and bounded in size, program and input: path
 * patterns and header predicates match the whole text, `matches` in expressions finds a part.
 * Pinned by pattern.test.ts: "groups agree with the whole match, and with another engine".
 */
import { RE2JS } from '@bufbuild/re2'
import { utf8Bytes } from '#wire/expression-text'
import { PATTERN_BYTES_MAX, PATTERN_INPUT_BYTES_MAX, PATTERN_INSTRUCTIONS_MAX } from '#wire/limits'
import { captures } from './pattern-groups.ts'
import type { Refused } from './prepare.ts'

export interface Pattern {
  /** The whole text. Texts longer than PATTERN_INPUT_BYTES_MAX match nothing. */
  test(text: string): boolean
  /** Named groups that took part, or null where the text does not match. Null prototype. */
  groups(text: string): Readonly<Record<string, string>> | null
  /** Any part of the text. */
  find(text: string): boolean
}

/**
 * States of the matcher that are kept: each has a table of 128 entries, so that a hostile input
 * could make the library's own 10,000 some 30 MB for each pattern and worker.
 */
const STATES_MAX = 500

export function preparePattern(pattern: string): Pattern | Refused {
  if (utf8Bytes(pattern) > PATTERN_BYTES_MAX) {
    return refused(`the pattern is longer than ${PATTERN_BYTES_MAX} bytes`)
  }
  try {
    const compiled = RE2JS.compile(pattern)
    const { prog, dfa } = compiled.re2()
    if (prog.numInst() > PATTERN_INSTRUCTIONS_MAX) {
      return refused(`the pattern compiles to more than ${PATTERN_INSTRUCTIONS_MAX} steps`)
    }
    dfa.stateLimit = STATES_MAX
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
  const { prog } = compiled.re2()
  return {
    test: (text) => fits(text) && compiled.testExact(text),
    find: (text) => fits(text) && compiled.test(text),
    groups(text) {
      if (!fits(text) || !compiled.testExact(text)) return null
      const found: Record<string, string> = Object.create(null)
      if (names.length === 0) return found
      const ends = captures(prog, text)
      for (const [name, group] of names) {
        const [from, to] = [ends[2 * group] ?? -1, ends[2 * group + 1] ?? -1]
        if (from !== -1 && to !== -1) found[name] = text.slice(from, to)
      }
      return found
    },
  }
}

/** Most texts are so short that their bytes need not be counted. */
function fits(text: string): boolean {
  if (text.length * 3 <= PATTERN_INPUT_BYTES_MAX) return true
  return text.length <= PATTERN_INPUT_BYTES_MAX && utf8Bytes(text) <= PATTERN_INPUT_BYTES_MAX
}
