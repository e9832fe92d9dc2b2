/**
 * Waits for a condition with a limit, instead of sleeping: a test that waits says for what.
 */
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_EVERY_MS = 40

/** The first result that is not null; fails with the last thing that was seen. */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | null> | T | null,
): Promise<T> {
  const untilMs = performance.now() + withinMs
  let last: unknown = null
  for (;;) {
    try {
      const seen = await look()
      if (seen !== null) return seen
    } catch (error) {
      last = error
    }
    if (performance.now() > untilMs) {
      throw new Error(`waited ${withinMs} ms in vain: ${what}`, { cause: last })
    }
    await delay(LOOK_EVERY_MS)
  }
}

/** Looks as often as that for so long, and fails as soon as it is not so. */
export async function throughout(ms: number, look: () => Promise<void> | void): Promise<void> {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs) {
    await look()
    await delay(LOOK_EVERY_MS)
  }
}
