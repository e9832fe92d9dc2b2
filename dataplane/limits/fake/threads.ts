/**
 * Threads that hammer one memory together, from a common start to a common end.
 */
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { LimitMemory } from '../shared.ts'
import type { HammerData, HammerResult, Task } from './hammer.ts'

export interface Hammering {
  readonly results: readonly HammerResult[]
  readonly truth: Int32Array
  readonly startNs: bigint
  readonly endNs: bigint
}

/** It is shown `truth`. */
type Between = (truth: Int32Array) => void

/** A busy machine may need longer than `ms` for what a test has to see. */
const LIMIT_NS = 20_000_000_000n

interface How {
  readonly threads: number
  readonly ms: number
  /** What main does meanwhile, again and again. */
  readonly between?: Between
  /** Whether it has been done often enough. */
  readonly until?: () => boolean
}

export async function hammerTogether(
  memory: LimitMemory,
  task: Task,
  how: How,
): Promise<Hammering> {
  const signal = new Int32Array(new SharedArrayBuffer(8))
  const truth = new Int32Array(new SharedArrayBuffer(4 * 4_096))
  const workers = Array.from({ length: how.threads }, (_, column) =>
    start({ memory, column, task, signal: signal.buffer, truth: truth.buffer }),
  )
  const results = workers.map(async (worker): Promise<HammerResult> => {
    const [result]: HammerResult[] = await once(worker, 'message')
    if (result === undefined) throw new Error('a thread said nothing')
    return result
  })
  while (Atomics.load(signal, 0) < how.threads) await turn()
  const startNs = process.hrtime.bigint()
  say(signal, 1)
  const goesOn = (): boolean => {
    const ranNs = process.hrtime.bigint() - startNs
    if (ranNs < BigInt(how.ms) * 1_000_000n) return true
    return how.until?.() === false && ranNs < LIMIT_NS
  }
  while (goesOn()) {
    how.between?.(truth)
    await turn()
  }
  say(signal, 2)
  const endNs = process.hrtime.bigint()
  const all = await Promise.all(results)
  await Promise.all(workers.map((worker) => worker.terminate()))
  return { results: all, truth, startNs, endNs }
}

export function start(data: HammerData): Worker {
  return new Worker(new URL('./hammer.ts', import.meta.url), { workerData: data })
}

function say(signal: Int32Array<SharedArrayBuffer>, word: number): void {
  Atomics.store(signal, 1, word)
  Atomics.notify(signal, 1)
}

/**
 * How many takes were admitted beyond burst + rate × window, in the worst of all windows: over all
 * pairs i ≤ j of admitted moments in order, in one pass.
 */
export function overAdmitted(
  results: readonly HammerResult[],
  parts: { readonly intervalNs: bigint; readonly toleranceNs: bigint },
): bigint {
  const moments = results.flatMap(({ admittedAtNs }) => [...admittedAtNs])
  const sorted = BigInt64Array.from(moments).toSorted()
  let best: bigint | null = null
  let worst = 0n
  for (const [i, at] of sorted.entries()) {
    const from = BigInt(i) * parts.intervalNs - at
    if (best === null || from < best) best = from
    const over = BigInt(i + 1) * parts.intervalNs - at - best - parts.toleranceNs
    if (over > worst) worst = over
  }
  return (worst + parts.intervalNs - 1n) / parts.intervalNs
}
