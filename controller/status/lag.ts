/**
 * Which data planes lag: behind the newest table, and no closer to it for a while. Every change makes
 * all of them lag for some milliseconds, which is no news.
 * Pinned by lag.test.ts: "a member that goes on acknowledging does not lag".
 */
import type { Member } from '../push/tally.ts'

export const LAG_MS = 2_000
/** After a controller has started, its data planes take some seconds to find it. */
export const START_MS = 15_000

export interface Lag {
  /** Names, sorted. */
  behind(look: Look): readonly string[]
  /** Whether somebody was behind at the last look, for however short a time. */
  isAnybodyBehind(gateway: string): 'yes' | 'no'
}

export interface Look {
  readonly gateway: string
  readonly members: readonly Member[]
  /** The newest version. */
  readonly newest: number
  readonly nowMs: number
  /** Of this controller's first table. */
  readonly startedMs: number
}

interface Behind {
  readonly version: number | null
  readonly sinceMs: number
}

export function createLag(): Lag {
  const gateways = new Map<string, ReadonlyMap<string, Behind>>()
  return {
    behind({ gateway, members, newest, nowMs, startedMs }) {
      const before = gateways.get(gateway)
      const now = new Map<string, Behind>()
      for (const { dataPlane, version } of members) {
        if ((version ?? -1) >= newest) continue
        const known = before?.get(dataPlane)
        const stands = known !== undefined && known.version === version
        now.set(dataPlane, { version, sinceMs: stands ? known.sinceMs : nowMs })
      }
      gateways.set(gateway, now)
      const isStarting = nowMs - startedMs < START_MS
      const lagging = [...now].filter(
        ([, { version, sinceMs }]) =>
          nowMs - sinceMs >= LAG_MS && !(version === null && isStarting),
      )
      return lagging.map(([dataPlane]) => dataPlane).toSorted()
    },
    isAnybodyBehind: (gateway) => ((gateways.get(gateway)?.size ?? 0) > 0 ? 'yes' : 'no'),
  }
}
