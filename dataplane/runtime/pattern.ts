/**
 * RE2 patterns, compiled when the table arrives and bounded in size, program and input: path
 * patterns and header predicates match the whole text, `matches` in expressions finds a part.
 * Pinned by pattern.test.ts: "groups agree with the whole match, and with another engine".
 */
import type { Refused } from './prepare.ts'

export interface Pattern {
  /** The whole text. Texts longer than PATTERN_INPUT_BYTES_MAX match nothing. */
  test(text: string): boolean
  /** Named groups that took part, or null where the text does not match. Null prototype. */
  groups(text: string): Readonly<Record<string, string>> | null
  /** Any part of the text. */
  find(text: string): boolean
}

export function preparePattern(_pattern: string): Pattern | Refused {
  throw new Error('in work')
}
