/**
 * A compiled RE2 pattern as flat arrays. The library parses and compiles; running is ours, because
 * its own matcher keeps up to 10,000 states (30 MB) for each pattern, makes 300 ms of a hostile
 * 8 KB path, and does not know groups.
 * Pinned by pattern.test.ts: "a pattern matches as the library and another engine say".
 */
import type { RE2JS } from '@bufbuild/re2'

type LibraryProgram = ReturnType<RE2JS['re2']>['prog']

/** What an instruction does; the library's codes are more. */
export const SPLIT = 0
export const CAPTURE = 1
export const ASSERT = 2
export const JUMP = 3
/** From here on, an instruction is where a way waits or ends. */
export const MATCH = 4
export const RUNE = 5
const FAIL = 6

/** The library's codes that are none of RUNE … RUNE_ANY_NOT_NL, in their order from 1. */
const CODES = [FAIL, SPLIT, SPLIT, CAPTURE, ASSERT, FAIL, MATCH, JUMP]
const FIRST_RUNE_CODE = 8

export interface Program {
  readonly size: number
  readonly start: number
  /** Positions of starts and ends of groups, that of the whole match among them. */
  readonly slots: number
  readonly code: Uint8Array
  readonly out: Uint16Array
  /** The other branch, the slot, the condition, or the number of the class. */
  readonly arg: Uint16Array
  readonly classes: readonly CharacterClass[]
  /** Where a match may begin: a pattern that starts with ^ only at the start of the text. */
  readonly from: 'start' | 'anywhere'
}

/** Characters that an instruction takes; the same one stands for all copies of a repetition. */
export interface CharacterClass {
  /** 1 for each character that it holds. */
  readonly ascii: Uint8Array
  holds(rune: number): boolean
}

export function programOf(library: LibraryProgram): Program {
  const size = library.numInst()
  const code = new Uint8Array(size)
  const out = new Uint16Array(size)
  const arg = new Uint16Array(size)
  const classes: CharacterClass[] = []
  const known = new Map<string, number>()
  for (let i = 0; i < size; i++) {
    const instruction = library.getInst(i)
    const isRune = instruction.op >= FIRST_RUNE_CODE
    code[i] = isRune ? RUNE : (CODES[instruction.op] ?? FAIL)
    out[i] = instruction.out
    arg[i] = instruction.arg
    if (!isRune) continue
    const key = `${instruction.arg}:${instruction.runes.join()}`
    const number = known.get(key) ?? classes.length
    if (number === classes.length) classes.push(classOf((rune) => instruction.matchRune(rune)))
    known.set(key, number)
    arg[i] = number
  }
  const from = (library.startCond() & BEGIN_TEXT) === 0 ? 'anywhere' : 'start'
  const { start } = library
  return { size, start, slots: Math.max(2, library.numCap), code, out, arg, classes, from }
}

function classOf(holds: (rune: number) => boolean): CharacterClass {
  const ascii = new Uint8Array(128)
  for (let rune = 0; rune < 128; rune++) ascii[rune] = holds(rune) ? 1 : 0
  return { ascii, holds }
}

/** 1: the class of this number holds the character. */
export function takes(program: Program, number: number, rune: number): number {
  const taken = program.classes[number]
  if (taken === undefined) return 0
  if (rune < 128) return taken.ascii[rune] ?? 0
  return taken.holds(rune) ? 1 : 0
}

/** Conditions of an ASSERT, as bits. */
const BEGIN_LINE = 0x01
const END_LINE = 0x02
const BEGIN_TEXT = 0x04
const END_TEXT = 0x08
const WORD_BOUNDARY = 0x10
const NO_WORD_BOUNDARY = 0x20

/** Those that hold before the character at `at`. */
export function conditionsAt(text: string, at: number): number {
  const before = at === 0 ? -1 : text.charCodeAt(at - 1)
  const after = at === text.length ? -1 : text.charCodeAt(at)
  let bits = isWord(before) === isWord(after) ? NO_WORD_BOUNDARY : WORD_BOUNDARY
  if (before === -1) bits |= BEGIN_TEXT | BEGIN_LINE
  if (before === 0x0a) bits |= BEGIN_LINE
  if (after === -1) bits |= END_TEXT | END_LINE
  if (after === 0x0a) bits |= END_LINE
  return bits
}

/** Letters, digits and the underscore of ASCII, as RE2 has it. */
function isWord(code: number): boolean {
  if (code < 0x30 || code > 0x7a) return false
  return code <= 0x39 || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code >= 0x61
}
