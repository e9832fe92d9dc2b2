/**
 * A thread that takes from shared limits as fast as it can, and what the threads of a test say to
 * each other. Run as a worker.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { GaugeTable, REFUSED } from '../gauge-table.ts'
import type { RateParts } from '../gcra.ts'
import { RateTable } from '../rate-table.ts'
import type { BucketKey, LimitMemory } from '../shared.ts'

export type Task =
  | { readonly kind: 'rate'; readonly parts: RateParts; readonly othersPerTake: number }
  | { readonly kind: 'claim'; readonly keys: number }
  | { readonly kind: 'gauge'; readonly keys: number; readonly max: number }
  /** Takes so many and holds them until it is ended. */
  | { readonly kind: 'hold'; readonly takes: number }

export interface HammerData {
  readonly memory: LimitMemory
  readonly column: number
  readonly task: Task
  /** [0]: threads that are ready · [1]: 1 to start, 2 to end. */
  readonly signal: SharedArrayBuffer
  /**
   * For gauges: what is truly held of each key, and in the last cell the most ever seen over. For
   * rates: the generation that each thread has come to, by column.
   */
  readonly truth: SharedArrayBuffer
}

/** Moments of admitted takes; or slots by key; or how many takes were admitted. */
export interface HammerResult {
  readonly admittedAtNs: BigInt64Array
  readonly admitted: number
}

export function keyOf(n: number): BucketKey {
  const mix = (salt: number): number => Math.imul(n + 1, salt) ^ (n + 2) ^ 0x5bd1e995
  const words = Int32Array.of(mix(0x9e3779b1), mix(0x85ebca77), mix(0xc2b2ae3d), mix(0x27d4eb2f))
  for (let i = 0; i < 4; i++) if (words[i] === 0 || words[i] === 1) words[i] = 7
  return { words, overflow: 3 }
}

function hammer({ memory, column, task, signal, truth }: HammerData): HammerResult {
  const state = new Int32Array(signal)
  Atomics.add(state, 0, 1)
  Atomics.notify(state, 0)
  while (Atomics.load(state, 1) === 0) Atomics.wait(state, 1, 0, 100)
  const goOn = (): boolean => Atomics.load(state, 1) === 1
  const generations = new Int32Array(truth)
  switch (task.kind) {
    case 'rate':
      return rate(new RateTable(memory), task, {
        passed: (generation) => Atomics.store(generations, column, generation),
        originNs: memory.originNs,
        goOn,
      })
    case 'claim':
      return claim(new RateTable(memory), task, goOn)
    case 'gauge':
      return gauge(new GaugeTable(memory, column), task, new Int32Array(truth), goOn)
    case 'hold':
      return hold(new GaugeTable(memory, column), task)
    default:
      return task satisfies never
  }
}

interface RateWatch {
  readonly goOn: () => boolean
  readonly passed: (generation: number) => void
  readonly originNs: bigint
}

function rate(
  table: RateTable,
  { parts, othersPerTake }: Extract<Task, { kind: 'rate' }>,
  { goOn, passed, originNs }: RateWatch,
): HammerResult {
  const key = keyOf(0)
  const admitted: bigint[] = []
  let other = 1
  while (goOn()) {
    const nowNs = process.hrtime.bigint()
    const charge = table.take(key, { nowNs, takeNs: parts.intervalNs, parts })
    passed(charge.generation)
    const atNs = charge.atNs + originNs
    if (atNs < nowNs || atNs > process.hrtime.bigint()) throw new Error('not while it was taken')
    if (charge.kind === 'admitted') admitted.push(atNs)
    for (let i = 0; i < othersPerTake; i++) {
      // keys that come once and never again: what fills a table
      table.take(keyOf(other++), { nowNs, takeNs: 1n, parts })
    }
  }
  return { admittedAtNs: BigInt64Array.from(admitted), admitted: admitted.length }
}

/** Every key once: of all threads together one take of each may be admitted. */
function claim(
  table: RateTable,
  { keys }: Extract<Task, { kind: 'claim' }>,
  goOn: () => boolean,
): HammerResult {
  const parts: RateParts = { intervalNs: 1_000_000_000_000n, toleranceNs: 1_000_000_000_000n }
  const nowNs = process.hrtime.bigint()
  let admitted = 0
  for (let i = 0; i < keys && goOn(); i++) {
    const charge = table.take(keyOf(i), { nowNs, takeNs: parts.intervalNs, parts })
    if (charge.kind === 'admitted') admitted++
  }
  return { admittedAtNs: new BigInt64Array(0), admitted }
}

function gauge(
  table: GaugeTable,
  { keys, max }: Extract<Task, { kind: 'gauge' }>,
  truth: Int32Array,
  goOn: () => boolean,
): HammerResult {
  let admitted = 0
  let seed = 1
  const held: { readonly n: number; readonly slot: number }[] = []
  const letGo = ({ n, slot }: { readonly n: number; readonly slot: number }): void => {
    Atomics.sub(truth, n, 1)
    table.release(slot)
  }
  while (goOn()) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    const n = (seed >>> 8) % keys
    const slot = table.take(keyOf(n), max)
    if (slot !== REFUSED) {
      admitted++
      const now = Atomics.add(truth, n, 1) + 1
      if (now > max) Atomics.add(truth, keys, 1)
      held.push({ n, slot })
    }
    if (held.length > 8 || slot === REFUSED) {
      const oldest = held.shift()
      if (oldest !== undefined) letGo(oldest)
    }
  }
  for (const one of held) letGo(one)
  return { admittedAtNs: new BigInt64Array(0), admitted }
}

function hold(table: GaugeTable, { takes }: Extract<Task, { kind: 'hold' }>): HammerResult {
  let admitted = 0
  for (let i = 0; i < takes; i++) if (table.take(keyOf(0), takes) !== REFUSED) admitted++
  return { admittedAtNs: new BigInt64Array(0), admitted }
}

if (parentPort !== null) {
  const data: HammerData = workerData
  parentPort.postMessage(hammer(data))
  if (data.task.kind === 'hold') setInterval(() => {}, 1_000)
}
