/**
 * Groups of a match: tries ways in the order of their priority and visits each instruction at each
 * position once, so that it is as bounded as the match itself. The text is known to match.
 * Pinned by pattern.test.ts: "groups agree with the whole match, and with another engine".
 */
import {
  ASSERT,
  CAPTURE,
  conditionsAt,
  JUMP,
  MATCH,
  RUNE,
  SPLIT,
  takes,
  type Program,
} from './pattern-program.ts'

interface Search {
  readonly program: Program
  readonly text: string
  /** Start and end of each group by twice its number, -1 where it took no part. */
  readonly ends: Int32Array
  /**
   * Ways that are still to be tried, two numbers each: instruction and position; or, below zero,
   * a capture to put back because all ways behind it have failed.
   */
  readonly stack: number[]
}

export function captures(program: Program, text: string): Int32Array {
  const length = text.length + 1
  const visited = new Uint32Array(Math.ceil((program.size * length) / 32))
  const ends = new Int32Array(program.slots).fill(-1)
  const stack = [program.start, 0]
  const search: Search = { program, text, ends, stack }
  while (stack.length > 0) {
    const at = stack.pop() ?? 0
    const instruction = stack.pop() ?? 0
    if (instruction < 0) {
      ends[-1 - instruction] = at
      continue
    }
    const bit = instruction * length + at
    const word = visited[bit >>> 5] ?? 0
    const mask = 1 << (bit & 31)
    if ((word & mask) !== 0) continue
    visited[bit >>> 5] = word | mask
    if (advance(search, instruction, at) === 'found') break
  }
  return ends
}

function advance(search: Search, from: number, at: number): 'found' | 'on' {
  const { program, text, stack } = search
  const out = program.out[from] ?? 0
  switch (program.code[from]) {
    case MATCH:
      return at === text.length ? 'found' : 'on'
    case SPLIT:
      stack.push(program.arg[from] ?? 0, at, out, at) // the last in is the first out: `out`
      return 'on'
    case JUMP:
      stack.push(out, at)
      return 'on'
    case CAPTURE:
      capture(search, from, at)
      return 'on'
    default:
      take(search, from, at)
      return 'on'
  }
}

function capture({ program, ends, stack }: Search, from: number, at: number): void {
  const slot = program.arg[from] ?? 0
  stack.push(-1 - slot, ends[slot] ?? -1, program.out[from] ?? 0, at)
  ends[slot] = at
}

/** What needs something of the text: a condition, or a character. */
function take({ program, text, stack }: Search, from: number, at: number): void {
  const arg = program.arg[from] ?? 0
  const out = program.out[from] ?? 0
  if (program.code[from] === ASSERT) {
    if ((arg & ~conditionsAt(text, at)) === 0) stack.push(out, at)
    return
  }
  const rune = program.code[from] === RUNE ? text.codePointAt(at) : undefined
  if (rune === undefined || takes(program, arg, rune) === 0) return
  stack.push(out, at + (rune > 0xffff ? 2 : 1))
}
