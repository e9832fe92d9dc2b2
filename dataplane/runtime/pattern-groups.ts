/**
 * Groups of an RE2 match. The library only says whether a text matches; its compiled program knows
 * the groups, so that a small machine over the same program finds them. It tries ways in the order
 * of their priority and visits each instruction at each position once: as bounded as the match.
 * Pinned by pattern.test.ts: "groups agree with the whole match, and with another engine".
 */
import type { RE2JS } from '@bufbuild/re2'

export type Program = ReturnType<RE2JS['re2']>['prog']

/** Codes of the library's instructions. */
const ALT = 1
const ALT_MATCH = 2
const CAPTURE = 3
const EMPTY_WIDTH = 4
const MATCH = 6
const NOP = 7
const RUNE = 8

/** Conditions of an EMPTY_WIDTH instruction, as bits. */
const BEGIN_LINE = 0x01
const END_LINE = 0x02
const BEGIN_TEXT = 0x04
const END_TEXT = 0x08
const WORD_BOUNDARY = 0x10
const NO_WORD_BOUNDARY = 0x20

interface Job {
  readonly instruction: number
  readonly at: number
  /** A capture to put back when all ways behind it have failed: slot and old position. */
  readonly restore: readonly [slot: number, position: number] | null
}

/**
 * Start and end of each group by twice its number, -1 where it took no part. The text is known to
 * match as a whole.
 */
export function captures(program: Program, text: string): readonly number[] {
  const visited = new Uint32Array(Math.ceil((program.numInst() * (text.length + 1)) / 32))
  const ends = Array.from({ length: Math.max(2, program.numCap) }, () => -1)
  const jobs: Job[] = [{ instruction: program.start, at: 0, restore: null }]
  for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
    if (job.restore !== null) {
      ends[job.restore[0]] = job.restore[1]
      continue
    }
    const bit = job.instruction * (text.length + 1) + job.at
    const mask = 1 << (bit & 31)
    const word = visited[bit >>> 5] ?? 0
    if ((word & mask) !== 0) continue
    visited[bit >>> 5] = word | mask
    if (step(program, text, { job, jobs, ends }) === 'found') return ends
  }
  return ends
}

interface Machine {
  readonly job: Job
  readonly jobs: Job[]
  readonly ends: number[]
}

function step(program: Program, text: string, { job, jobs, ends }: Machine): 'found' | 'on' {
  const { at } = job
  const instruction = program.getInst(job.instruction)
  const { op, arg, out } = instruction
  switch (op) {
    case MATCH:
      return at === text.length ? 'found' : 'on'
    case ALT:
    case ALT_MATCH:
      go(jobs, arg, at) // the last in is the first out, and `out` has priority
      go(jobs, out, at)
      return 'on'
    case CAPTURE:
      jobs.push({ ...job, restore: [arg, ends[arg] ?? -1] })
      ends[arg] = at
      go(jobs, out, at)
      return 'on'
    default:
      go(jobs, out, behind(text, at, instruction))
      return 'on'
  }
}

function go(jobs: Job[], instruction: number, at: number): void {
  if (at !== -1) jobs.push({ instruction, at, restore: null })
}

type Instruction = ReturnType<Program['getInst']>

/** Position behind what the instruction takes, or -1 where it does not match. */
function behind(text: string, at: number, instruction: Instruction): number {
  if (instruction.op === NOP) return at
  if (instruction.op === EMPTY_WIDTH) {
    return (instruction.arg & ~conditions(text, at)) === 0 ? at : -1
  }
  const rune = text.codePointAt(at)
  if (instruction.op < RUNE || rune === undefined || !instruction.matchRune(rune)) return -1
  return at + (rune > 0xffff ? 2 : 1)
}

function conditions(text: string, at: number): number {
  const before = at === 0 ? -1 : text.charCodeAt(at - 1)
  const after = at === text.length ? -1 : text.charCodeAt(at)
  let bits = isWord(before) === isWord(after) ? NO_WORD_BOUNDARY : WORD_BOUNDARY
  if (before === -1) bits |= BEGIN_TEXT | BEGIN_LINE
  if (before === 0x0a) bits |= BEGIN_LINE
  if (after === -1) bits |= END_TEXT | END_LINE
  if (after === 0x0a) bits |= END_LINE
  return bits
}

function isWord(code: number): boolean {
  return code !== -1 && /\w/.test(String.fromCharCode(code))
}
