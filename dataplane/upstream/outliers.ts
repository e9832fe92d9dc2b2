/**
 * Takes endpoints out of use that fail where others do not, and back after a while: on the main
 * thread, from what all workers have seen, so that they agree. Of a backend only a share may be out;
 * where too few are left, none is: a few that fail must not send everything to those that remain.
 * Pinned by outliers.test.ts: "an endpoint that fails in a row is out, and comes back".
 */
import type { Health, Outliers } from '#wire/delivery'
import type { TableChange } from '../sync/port.ts'
import { NO_PLACE, type UpstreamMemory } from './counts.ts'
import { UpstreamMarks } from './marks.ts'
import type { PlacedSet } from './places.ts'

/** How often it is looked at what workers have seen: at most so much later is an endpoint out. */
export const LOOK_AT_OUTLIERS_EVERY_MS = 200

/** Shares are taken of what was seen within this. */
const WINDOW_MS = 10_000
/** Of so many answers at least: one failure of two says nothing. */
const WINDOW_ANSWERS_MIN = 20

type Changed = Pick<TableChange, 'from' | 'puts' | 'drops'>

class Watched {
  readonly place: number
  outUntilMs = 0
  state: 'in' | 'out' = 'in'
  /** Ejections that have followed each other. */
  times = 0
  answers: number
  failures: number
  share: 'good' | 'bad' = 'good'

  constructor(place: number, marks: UpstreamMarks) {
    this.place = place
    this.answers = marks.read(place, 'answers')
    this.failures = marks.read(place, 'failures')
  }
}

interface WatchedBackend {
  readonly health: Health
  readonly endpoints: ReadonlyMap<number, Watched>
}

const NONE: ReadonlyMap<number, Watched> = new Map()

export class OutlierKeeper {
  readonly #marks: UpstreamMarks
  readonly #now: () => number
  readonly #health = new Map<string, Health>()
  readonly #sets = new Map<string, PlacedSet>()
  readonly #backends = new Map<string, WatchedBackend>()
  #windowEndsMs = 0

  constructor(memory: UpstreamMemory, now: () => number) {
    this.#marks = new UpstreamMarks(memory)
    this.#now = now
  }

  /** Of the table; null: it has no such backend, or one that is not watched. */
  backend(key: string, health: Health | null): void {
    if (health === null) this.#health.delete(key)
    else this.#health.set(key, health)
    this.#watch(key)
  }

  endpoints(set: PlacedSet): void {
    this.#sets.set(set.backend, set)
    this.#watch(set.backend)
  }

  /** A commit of the table. */
  changed({ from, puts, drops }: Changed): void {
    const named = new Set(puts.map(({ kind, key }) => (kind === 'backend' ? key : '')))
    for (const key of from === 'snapshot' ? [...this.#health.keys()] : []) {
      if (!named.has(key)) this.backend(key, null)
    }
    for (const { kind, key } of drops) if (kind === 'backend') this.backend(key, null)
    for (const object of puts) {
      if (object.kind === 'backend') this.backend(object.key, object.value.health ?? null)
    }
  }

  /** The backends that there are: nothing is remembered of others. */
  keep(backends: { has(key: string): boolean }): void {
    for (const key of this.#sets.keys()) {
      if (backends.has(key)) continue
      this.#sets.delete(key)
      this.backend(key, null)
    }
  }

  /** Endpoints that are out of use. */
  get out(): number {
    let sum = 0
    for (const { endpoints } of this.#backends.values()) {
      for (const { state } of endpoints.values()) if (state === 'out') sum++
    }
    return sum
  }

  #watch(key: string): void {
    const health = this.#health.get(key)
    const before = this.#backends.get(key)?.endpoints ?? NONE
    const endpoints = health === undefined ? NONE : this.#endpointsOf(key, before)
    for (const place of before.keys()) if (!endpoints.has(place)) this.#marks.put(place, 'in')
    if (health === undefined) this.#backends.delete(key)
    else this.#backends.set(key, { health, endpoints })
  }

  #endpointsOf(key: string, before: WatchedBackend['endpoints']): WatchedBackend['endpoints'] {
    const places = (this.#sets.get(key)?.places ?? []).filter((place) => place !== NO_PLACE)
    return new Map(
      places.map((place) => [place, before.get(place) ?? new Watched(place, this.#marks)]),
    )
  }

  look(): void {
    const now = this.#now()
    if (now >= this.#windowEndsMs) {
      this.#windowEndsMs = now + WINDOW_MS
      for (const backend of this.#backends.values()) this.#judgeShares(backend)
    }
    for (const backend of this.#backends.values()) this.#judge(backend, now)
  }

  #judgeShares({ health: { outliers }, endpoints }: WatchedBackend): void {
    for (const watched of endpoints.values()) {
      const answers = this.#marks.read(watched.place, 'answers')
      const failures = this.#marks.read(watched.place, 'failures')
      // Counters wrap around; their differences do not.
      const seen = (answers - watched.answers) | 0
      const failed = (failures - watched.failures) | 0
      watched.answers = answers
      watched.failures = failures
      const good = ((seen - failed) * 1000) / seen
      const least = outliers.successPerMille ?? 0
      watched.share = seen >= WINDOW_ANSWERS_MIN && good < least ? 'bad' : 'good'
    }
  }

  #judge({ health, endpoints }: WatchedBackend, now: number): void {
    let out = 0
    for (const watched of endpoints.values()) {
      if (watched.state === 'out') out += this.#stays(watched, now)
    }
    const most = outMax(endpoints.size, health.outliers.outMaxPerMille)
    for (const watched of endpoints.values()) {
      if (out >= most) break
      if (watched.state === 'out' || this.#fails(watched, health.outliers) === 'no') continue
      eject(watched, health.outliers, now)
      out++
    }
    const left = endpoints.size - out
    const panics = left * 1000 < endpoints.size * health.panicPerMille
    for (const watched of endpoints.values()) this.#tell(watched, panics ? 'in' : watched.state)
  }

  #tell({ place }: Watched, standing: 'in' | 'out'): void {
    if (this.#marks.standing(place) !== standing) this.#marks.put(place, standing)
  }

  #fails({ place, share }: Watched, { errors, gatewayErrors }: Outliers): 'yes' | 'no' {
    if (share === 'bad' || this.#marks.read(place, 'errors') >= errors) return 'yes'
    if (gatewayErrors === undefined) return 'no'
    return this.#marks.read(place, 'gatewayErrors') >= gatewayErrors ? 'yes' : 'no'
  }

  /** 0: its time is over, and it begins anew. */
  #stays(watched: Watched, now: number): 0 | 1 {
    if (now < watched.outUntilMs) return 1
    watched.state = 'in'
    watched.share = 'good'
    this.#marks.forgive(watched.place)
    return 0
  }
}

/** One that has been good for long begins anew. */
function eject(watched: Watched, { ejectionMs, ejectionMaxMs }: Outliers, now: number): void {
  watched.times = now - watched.outUntilMs > ejectionMaxMs ? 1 : watched.times + 1
  watched.state = 'out'
  watched.outUntilMs = now + Math.min(ejectionMs * watched.times, ejectionMaxMs)
}

/** At least one may be, where another is left. */
export function outMax(endpoints: number, perMille: number): number {
  return endpoints < 2 ? 0 : Math.max(1, Math.floor((endpoints * perMille) / 1000))
}
