/**
 * Waits for an API server that does not answer yet: a controller that starts before it, or during
 * an outage, lives on and asks again, less often each time.
 * Pinned by test/cluster/restart.test.ts: "an API server that is away costs no request, and a
 * controller that starts then waits".
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../log.ts'
import { KubeFailure } from './client.ts'

const WAIT_MS_MIN = 500
const WAIT_MS_MAX = 10_000

/** Rejects only with what is not the API server's word, or its silence. */
export async function untilAnswered<T>(
  what: string,
  log: Logger,
  ask: () => Promise<T>,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof KubeFailure)) throw error
      // Powers of two: an outage of an hour is some ten lines.
      if ((failures & (failures - 1)) === 0) {
        log.warn({ status: error.status, failures }, `cannot start yet: ${what}: ${error.message}`)
      }
      const bound = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(failures - 1, 16))
      await delay(bound * (0.5 + Math.random() / 2))
    }
  }
}
