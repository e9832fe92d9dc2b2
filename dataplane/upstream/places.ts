/**
 * Gives every backend and every endpoint its place in the shared counts: on the main thread, before
 * workers hear of the endpoints. A place that nobody needs any more is given to others only after
 * everything that ran there has ended.
 * Pinned by places.test.ts: "a place goes to another only once nobody uses it".
 */
import type { EndpointSet } from '#wire/session'
import { NO_PLACE, UpstreamCounts, type UpstreamMemory } from './counts.ts'
import { UpstreamMarks } from './marks.ts'
import { endpointKey } from './endpoint.ts'

/** A worker that has not heard of the change yet may still begin something there. */
const REST_MS = 60_000

/** What workers get: the endpoints of a backend, each with its place, and the backend's own. */
export interface PlacedSet extends EndpointSet {
  readonly place: number
  /** In the order of the endpoints. */
  readonly places: readonly number[]
}

interface Placed {
  readonly place: number
  readonly endpoints: ReadonlyMap<string, number>
}

interface Resting {
  readonly place: number
  readonly sinceMs: number
}

export class Places {
  readonly #counts: UpstreamCounts
  readonly #marks: UpstreamMarks
  readonly #now: () => number
  readonly #backends = new Map<string, Placed>()
  readonly #resting: Resting[] = []
  #free: number[] = []
  #next = 0
  readonly #max: number

  constructor(memory: UpstreamMemory, now: () => number) {
    this.#counts = new UpstreamCounts(memory, 0)
    this.#marks = new UpstreamMarks(memory)
    this.#max = memory.places
    this.#now = now
  }

  place(set: EndpointSet): PlacedSet {
    const before = this.#backends.get(set.backend)
    const endpoints = new Map<string, number>()
    const places = set.endpoints.map((endpoint) => {
      const key = endpointKey(endpoint)
      const place = endpoints.get(key) ?? before?.endpoints.get(key) ?? this.#take()
      endpoints.set(key, place)
      return place
    })
    for (const [key, place] of before?.endpoints ?? []) if (!endpoints.has(key)) this.#rest(place)
    const place = before?.place ?? this.#take()
    this.#backends.set(set.backend, { place, endpoints })
    return { ...set, place, places }
  }

  /** The backends of the table: those that are not among them give their places back. */
  keep(backends: { has(key: string): boolean }): void {
    for (const [key, { place, endpoints }] of this.#backends) {
      if (backends.has(key)) continue
      this.#backends.delete(key)
      this.#rest(place)
      for (const own of endpoints.values()) this.#rest(own)
    }
  }

  /** A worker is gone: call it before another one takes its column. */
  freeColumn(column: number): void {
    this.#counts.clearColumn(column)
  }

  #take(): number {
    this.#wake()
    const free = this.#free.pop()
    if (free !== undefined) return free
    return this.#next < this.#max ? this.#next++ : NO_PLACE
  }

  #rest(place: number): void {
    if (place !== NO_PLACE) this.#resting.push({ place, sinceMs: this.#now() })
  }

  /** From the oldest on: one that is still in use keeps those behind it waiting, and no longer. */
  #wake(): void {
    const until = this.#now() - REST_MS
    for (let first = this.#resting[0]; first !== undefined; first = this.#resting[0]) {
      if (first.sinceMs > until) return
      this.#resting.shift()
      if (this.#counts.sum(first.place, 'attempts') > 0) this.#rest(first.place)
      else {
        this.#counts.clearPlace(first.place)
        this.#marks.clear(first.place)
        this.#free.push(first.place)
      }
    }
  }
}
