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
}

function createWays(size: number): Ways {
  return { list: new Uint16Array(size), place: new Uint16Array(size), count: 0 }
}

interface Stack {
  readonly items: Uint16Array
  height: number
}

/** What one pattern needs while it matches. Matches do not wait, so one is enough. */
export interface Matcher {
  readonly program: Program
  readonly stack: Stack
  now: Ways
  next: Ways
  /** By class: 1 yes, 0 no, for the character at hand; 2: not asked yet. */
  readonly answers: Uint8Array
}

export function createMatcher(program: Program): Matcher {
  const { size, classes } = program
  return {
    program,
    stack: { items: new Uint16Array(2 * size + 2), height: 0 },
    now: createWays(size),
    next: createWays(size),
    answers: new Uint8Array(classes.length),
  }
}

/** `whole`: the text from its start to its end; `part`: anything in it. */
export function matches(matcher: Matcher, text: string, extent: 'whole' | 'part'): boolean {
  matcher.now.count = 0
  follow(matcher, matcher.now, matcher.program.start, { text, at: 0 })
  for (let at = 0; at < text.length; ) {
    if (extent === 'part' && hasMatch(matcher)) return true
    if (matcher.now.count === 0) return false
    const rune = text.codePointAt(at) ?? 0
    at += rune > 0xffff ? 2 : 1
    step(matcher, rune, { text, at })
    if (extent === 'part') follow(matcher, matcher.now, matcher.program.start, { text, at })
  }
  return hasMatch(matcher)
}

interface Place {
  readonly text: string
  readonly at: number
}

function hasMatch({ program, now }: Matcher): boolean {
  for (let i = 0; i < now.count; i++) {
    if (program.code[now.list[i] ?? 0] === MATCH) return true
  }
  return false
}

/** Takes one character along every way. */
function step(matcher: Matcher, rune: number, place: Place): void {
  const { program, now, next, answers } = matcher
  answers.fill(2)
  next.count = 0
  for (let i = 0; i < now.count; i++) {
    const instruction = now.list[i] ?? 0
    if (program.code[instruction] !== RUNE) continue
    const number = program.arg[instruction] ?? 0
    let answer = answers[number]
    if (answer === 2) {
      answer = takes(program, number, rune)
      answers[number] = answer
    }
    if (answer === 1) follow(matcher, next, program.out[instruction] ?? 0, place)
  }
  matcher.now = next
  matcher.next = now
}

/** Adds an instruction and whatever can be reached from it without a character. */
function follow(matcher: Matcher, ways: Ways, from: number, place: Place): void {
  const { stack } = matcher
  push(stack, from)
  while (stack.height > 0) {
    const instruction = stack.items[--stack.height] ?? 0
    if (added(ways, instruction)) spread(matcher, instruction, place)
  }
}

function push(stack: Stack, instruction: number): void {
  stack.items[stack.height++] = instruction
}

function spread({ program, stack }: Matcher, instruction: number, place: Place): void {
  const code = program.code[instruction] ?? MATCH
  if (code >= MATCH) return
  const arg = program.arg[instruction] ?? 0
  if (code === SPLIT) push(stack, arg)
  if (code !== ASSERT || asserted(arg, place)) push(stack, program.out[instruction] ?? 0)
}

/** False: it was there. */
function added(ways: Ways, instruction: number): boolean {
  const known = ways.place[instruction] ?? 0
  if (known < ways.count && ways.list[known] === instruction) return false
  ways.place[instruction] = ways.count
  ways.list[ways.count++] = instruction
  return true
}

function asserted(condition: number, { text, at }: Place): boolean {
  return (condition & ~conditionsAt(text, at)) === 0
}
