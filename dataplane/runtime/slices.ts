/**
 * Long work in pieces: a generator that stops wherever others may have their turn. It runs in one go,
 * or some milliseconds at a time, so that a large table holds up no exchange.
 * Pinned by slices.test.ts: "between two slices others have their turn".
 */
import { setImmediate as turn } from 'node:timers/promises'

/** May be stopped after each yield; what it works on must not change meanwhile. */
export type Sliced<T> = Generator<undefined, T>

export function inOneGo<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

export async function inSlices<T>(work: Sliced<T>, sliceMs: number, now: () => number): Promise<T> {
  let untilMs = now() + sliceMs
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    if (now() < untilMs) continue
    await turn()
    untilMs = now() + sliceMs
  }
}
