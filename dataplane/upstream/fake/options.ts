/**
 * What an upstream needs in tests that stand alone: counts of one worker, and nobody who listens.
 */
import type { EndpointSet } from '#wire/session'
import type { CallEvent, CallOptions } from '../call.ts'
import { createUpstreamMemory, UpstreamCounts } from '../counts.ts'
import { UpstreamMarks } from '../marks.ts'
import type { Deadlines } from '../deadlines.ts'
import { Library } from '../../runtime/library.ts'
import type { LaneOptions } from '../lanes.ts'
import { UndiciLane } from '../pool.ts'
import { type PlacedSet, Places } from '../places.ts'

const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** Loaded from the start. */
export const UNDICI = new Library(() => Promise.resolve(UndiciLane))
await UNDICI.load()

export function callOptions(
  deadlines: Deadlines,
  events: CallEvent[] = [],
): CallOptions & LaneOptions {
  const memory = createUpstreamMemory(1, 64)
  return {
    now,
    random: () => 0,
    deadlines,
    counts: new UpstreamCounts(memory, 0),
    marks: new UpstreamMarks(memory),
    happened: (event) => void events.push(event),
    undici: UNDICI,
  }
}

/** Each endpoint in a place of its own. */
export function placed(set: EndpointSet): PlacedSet {
  return new Places(createUpstreamMemory(1, 64), now).place(set)
}
