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
  behind(look: Look): Laggards
  /** Whether somebody was behind at the last look, for however short a time. */
  isAnybodyBehind(gateway: string): 'yes' | 'no'
}

/** Names, sorted. */
export interface Laggards {
  readonly lagging: readonly string[]
  /** Behind too, for so short a time that nothing can be said yet. */
  readonly passing: readonly string[]
}

export interface Look {
  readonly gateway: string
  readonly members: readonly Member[]
  /** The newest version, in the count of the controller that the member is with. */
  readonly newest: (member: Member) => number
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
      for (const member of members) {
        const { dataPlane, version } = member
        if ((version ?? -1) >= newest(member)) continue
        const known = before?.get(dataPlane)
        const stands = known !== undefined && known.version === version
        now.set(dataPlane, { version, sinceMs: stands ? known.sinceMs : nowMs })
      }
      gateways.set(gateway, now)
      const isStarting = nowMs - startedMs < START_MS
      const lags = ({ version, sinceMs }: Behind): boolean =>
        nowMs - sinceMs >= LAG_MS && !(version === null && isStarting)
      const names = (which: 'lagging' | 'passing'): readonly string[] =>
        [...now]
          .filter(([, behind]) => lags(behind) === (which === 'lagging'))
          .map(([dataPlane]) => dataPlane)
          .toSorted()
      return { lagging: names('lagging'), passing: names('passing') }
    },
    isAnybodyBehind: (gateway) => ((gateways.get(gateway)?.size ?? 0) > 0 ? 'yes' : 'no'),
  }
}
