/**
 * Whether a text matches: all ways through the program at once, one character after the other, so
 * that the time is bounded by the size of the program times the length of the text.
 * Pinned by pattern.test.ts: "a pattern matches as the library and another engine say".
 */
import { ASSERT, conditionsAt, MATCH, RUNE, SPLIT, takes, type Program } from './pattern-program.ts'

/** Instructions that a way stands at; membership and order without ever clearing anything. */
interface Ways {
  readonly list: Uint16Array
  readonly place: Uint16Array
  count: number
  /** A way has come to the end of the program. */
  matched: 'yes' | 'no'
}

interface Stack {
  readonly items: Uint16Array
  height: number
}

/** What one pattern needs while it matches. Matches do not wait, so one is enough. */
export interface Matcher {
  readonly program: Program
  readonly stack: Stack
  text: string
  at: number
  now: Ways
  next: Ways
  /** By class: twice the number of the character at hand, one more where the class holds it. */
  readonly answers: Uint32Array
  asked: number
}

export function createMatcher(program: Program): Matcher {
  const { size, classes } = program
  return {
    program,
    stack: { items: new Uint16Array(2 * size + 2), height: 0 },
    text: '',
    at: 0,
    now: createWays(size),
    next: createWays(size),
    answers: new Uint32Array(classes.length),
    asked: 0,
  }
}

function createWays(size: number): Ways {
  return { list: new Uint16Array(size), place: new Uint16Array(size), count: 0, matched: 'no' }
}

/** `whole`: the text from its start to its end; `part`: anything in it. */
export function matches(matcher: Matcher, text: string, extent: 'whole' | 'part'): boolean {
  const { start, from } = matcher.program
  const anywhere = extent === 'part' && from === 'anywhere'
  matcher.text = text
  matcher.at = 0
  clear(matcher.now)
  follow(matcher, matcher.now, start)
  while (matcher.at < text.length) {
    if (extent === 'part' && matcher.now.matched === 'yes') return true
    if (matcher.now.count === 0) return false
    step(matcher)
    if (anywhere) follow(matcher, matcher.now, start)
  }
  return matcher.now.matched === 'yes'
}

function clear(ways: Ways): void {
  ways.count = 0
  ways.matched = 'no'
}

/** Takes one character along every way. */
function step(matcher: Matcher): void {
  const { program, now, next } = matcher
  const rune = matcher.text.codePointAt(matcher.at) ?? 0
  matcher.at += rune > 0xffff ? 2 : 1
  matcher.asked++
  clear(next)
  for (let i = 0; i < now.count; i++) {
    const instruction = now.list[i] ?? 0
    if (program.code[instruction] !== RUNE) continue
    const number = program.arg[instruction] ?? 0
    if (holds(matcher, number, rune)) follow(matcher, next, program.out[instruction] ?? 0)
  }
  matcher.now = next
  matcher.next = now
}

/** Copies of a repetition ask the same class about the same character: once is enough. */
function holds({ program, answers, asked }: Matcher, number: number, rune: number): boolean {
  if (rune < 128) return takes(program, number, rune) === 1
  const known = answers[number] ?? 0
  if (known >>> 1 === asked) return (known & 1) === 1
  const answer = takes(program, number, rune)
  answers[number] = asked * 2 + answer
  return answer === 1
}

/** Adds an instruction and whatever can be reached from it without a character. */
function follow(matcher: Matcher, ways: Ways, from: number): void {
  const { stack } = matcher
  push(stack, from)
  while (stack.height > 0) {
    const instruction = stack.items[--stack.height] ?? 0
    if (added(ways, instruction)) spread(matcher, ways, instruction)
  }
}

function push(stack: Stack, instruction: number): void {
  stack.items[stack.height++] = instruction
}

/** False: it was there. */
function added(ways: Ways, instruction: number): boolean {
  const known = ways.place[instruction] ?? 0
  if (known < ways.count && ways.list[known] === instruction) return false
  ways.place[instruction] = ways.count
  ways.list[ways.count++] = instruction
  return true
}

function spread({ program, stack, text, at }: Matcher, ways: Ways, instruction: number): void {
  const code = program.code[instruction] ?? MATCH
  if (code === RUNE) return
  if (code >= MATCH) {
    if (code === MATCH) ways.matched = 'yes'
    return
  }
  const arg = program.arg[instruction] ?? 0
  if (code === SPLIT) push(stack, arg)
  if (code === ASSERT && (arg & ~conditionsAt(text, at)) !== 0) return
  push(stack, program.out[instruction] ?? 0)
}
