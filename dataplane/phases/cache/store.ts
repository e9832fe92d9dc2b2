/**
 * The answers that one worker keeps: by what they answer, each for whom and by which headers it
 * differs. Counted in bytes; those that were used longest ago make room.
 * Pinned by store.test.ts: "the store keeps what its plain twin keeps, and never too much".
 */
import { CACHED_PER_TARGET_MAX } from '#wire/limits'
import { headerValue } from '../../request/headers.ts'
import type { Lifetime } from './freshness.ts'

export interface StoredAnswer {
  /** Rule, caller and whatever else the rule says. */
  readonly audience: string
  /** Names in lower case with the values that the backend was asked with; flat. */
  readonly varies: readonly string[]
  readonly status: number
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly lifetime: Lifetime
  /** Monotonic. */
  readonly storedMs: number
}

/** Of one answer beside its texts: objects and their pointers. */
const OVERHEAD_BYTES = 512
/** Addresses of which it is known when they changed last. Of the others no older answer is kept. */
const CHANGES_MAX = 4_096

export class AnswerStore {
  readonly #bytesMax: number
  /** By scheme, host, path and query; in the order of their use. */
  readonly #targets = new Map<string, StoredAnswer[]>()
  readonly #rules = new WeakMap<object, number>()
  /** Monotonic; the oldest first. */
  readonly #changes = new Map<string, number>()
  #forgottenMs = Number.NEGATIVE_INFINITY
  #nextRule = 1
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A rule that is prepared anew is another one: nothing is served that an older one has stored. */
  ruleId(rule: object): number {
    const known = this.#rules.get(rule)
    if (known !== undefined) return known
    this.#rules.set(rule, this.#nextRule)
    this.#nextRule += 1
    return this.#nextRule - 1
  }

  /** `asked`: the header list that would go to the backend. */
  find(target: string, audience: string, asked: readonly string[]): StoredAnswer | null {
    const list = this.#targets.get(target)
    const found = list?.find((one) => one.audience === audience && agrees(one, asked))
    if (list === undefined || found === undefined) return null
    this.#targets.delete(target)
    this.#targets.set(target, list)
    return found
  }

  /** Something was changed there: what was asked for before may say what was before. */
  changed(target: string, nowMs: number): void {
    this.drop(target)
    this.#changes.delete(target)
    this.#changes.set(target, nowMs)
    const [oldest] = this.#changes.size > CHANGES_MAX ? this.#changes : []
    if (oldest === undefined) return
    this.#forgottenMs = oldest[1]
    this.#changes.delete(oldest[0])
  }

  /** Answers to what was asked before are not to be kept. */
  changedMs(target: string): number {
    return this.#changes.get(target) ?? this.#forgottenMs
  }

  put(target: string, answer: StoredAnswer, asked: readonly string[]): void {
    const before = this.#targets.get(target) ?? []
    const list = before.filter((one) => one.audience !== answer.audience || !agrees(one, asked))
    this.drop(target)
    list.push(answer)
    const kept = list.slice(-CACHED_PER_TARGET_MAX)
    this.#targets.set(target, kept)
    this.#bytes += sizeOf(target, kept)
    for (const oldest of this.#targets.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.drop(oldest)
    }
  }

  drop(target: string): void {
    const list = this.#targets.get(target)
    if (list === undefined) return
    this.#bytes -= sizeOf(target, list)
    this.#targets.delete(target)
  }
}

function agrees({ varies }: StoredAnswer, asked: readonly string[]): boolean {
  for (let i = 0; i < varies.length; i += 2) {
    if ((headerValue(asked, varies[i] ?? '') ?? '') !== varies[i + 1]) return false
  }
  return true
}

function sizeOf(target: string, list: readonly StoredAnswer[]): number {
  const texts = (items: readonly string[]): number =>
    items.reduce((sum, item) => sum + 2 * item.length, 0)
  return list.reduce(
    (sum, one) =>
      sum +
      OVERHEAD_BYTES +
      one.body.length +
      2 * one.audience.length +
      texts(one.headers) +
      texts(one.varies),
    2 * target.length,
  )
}
