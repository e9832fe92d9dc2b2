/**
 * What a worker counts, as numbers in shared memory: one slab per worker, written by it alone, read
 * by the main thread when somebody scrapes. Counting costs no lock, no message and no allocation.
 * Pinned by metrics.test.ts: "what workers count is what a scrape shows, even when gone".
 */
import type { ExchangeRecord, RecordSink } from './request/record.ts'

/** Upper bounds of the duration histogram in seconds; +Inf is the count. */
export const DURATION_BUCKETS_S: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/**
 * Distinct label sets of one worker; 10,000 rules with two outcomes each. A scrape of so many takes
 * the main thread some 10 ms. What comes after them is counted in one series that says so.
 */
export const SERIES_MAX = 20_000
/** Rules with a histogram of their own: each is 16 lines of a scrape. */
export const HISTOGRAMS_MAX = 2_000
/** Limits in observe mode, by the rule that they would have refused a request of. */
export const OBSERVED_MAX = 2_000

/** Cells at the start of a slab. `logTaken` alone is written by the main thread. */
export const CELLS = {
  started: 0,
  ended: 1,
  bugs: 2,
  logSent: 3,
  logTaken: 4,
  logDropped: 5,
  mirrored: 6,
  mirrorsDropped: 7,
  refused: 8,
  retries: 9,
  hedges: 10,
  retriesRefused: 11,
  cacheServed: 12,
  cacheWaits: 13,
  cacheRefreshes: 14,
} as const
const CELLS_MAX = 32

/** Of one series: requests, bytes in, bytes out. */
export const SERIES_CELLS = 3
/** Of one histogram: buckets, then sum (s) and count. */
export const HISTOGRAM_CELLS = DURATION_BUCKETS_S.length + 2

const HISTOGRAMS_AT = CELLS_MAX + SERIES_MAX * SERIES_CELLS
const OBSERVED_AT = HISTOGRAMS_AT + HISTOGRAMS_MAX * HISTOGRAM_CELLS
const SLAB_CELLS = OBSERVED_AT + OBSERVED_MAX

export function newSlab(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLAB_CELLS * Float64Array.BYTES_PER_ELEMENT)
}

export function seriesAt(index: number): number {
  return CELLS_MAX + index * SERIES_CELLS
}

export function histogramAt(index: number): number {
  return HISTOGRAMS_AT + index * HISTOGRAM_CELLS
}

export function observedAt(index: number): number {
  return OBSERVED_AT + index
}

export interface SeriesLabels {
  /** `namespace/name`, or '' where no rule matched. */
  readonly route: string
  readonly rule: string
  readonly method: string
  readonly class: string
  readonly cause: string
  readonly backend: string
}
export interface HistogramLabels {
  readonly route: string
  readonly rule: string
}

export interface ObservedLabels extends HistogramLabels {
  /** The entry's name in its policy. */
  readonly limit: string
}

/** What stands in a slab at an index, said once, when it is first used. */
export type Announcement =
  | { readonly kind: 'series'; readonly index: number; readonly labels: SeriesLabels }
  | { readonly kind: 'histogram'; readonly index: number; readonly labels: HistogramLabels }
  | { readonly kind: 'observed'; readonly index: number; readonly labels: ObservedLabels }

/** Stands for all that found no place of its own. */
export const OVERFLOW = '(others)'

/** Other methods are the client's to invent, and so no labels. */
const METHODS: ReadonlySet<string> = new Set('GET HEAD POST PUT PATCH DELETE OPTIONS'.split(' '))

/** Rules of which the last series is remembered. */
const LAST_MAX = 1_000

export class MetricsSlab implements RecordSink {
  readonly cells: Float64Array
  readonly #announce: (announcement: Announcement) => void
  readonly #series = new Map<string, number>()
  readonly #histograms = new Map<string, number>()
  readonly #observed = new Map<string, number>()
  readonly #last = new Map<
    string | null,
    { readonly record: ExchangeRecord; readonly index: number }
  >()
  readonly #overflowed = new Set<Announcement['kind']>()

  constructor(slab: SharedArrayBuffer, announce: (announcement: Announcement) => void) {
    this.cells = new Float64Array(slab)
    this.#announce = announce
  }

  add(cell: keyof typeof CELLS, amount: number): void {
    this.#add(CELLS[cell], amount)
  }

  #add(at: number, amount: number): void {
    this.cells[at] = (this.cells[at] ?? 0) + amount
  }

  record(record: ExchangeRecord): void {
    this.#add(CELLS.ended, 1)
    const series = seriesAt(this.#seriesOf(record))
    this.#add(series, 1)
    this.#add(series + 1, record.bytesIn)
    this.#add(series + 2, record.bytesOut)
    const histogram = histogramAt(this.#histogramOf(record))
    const seconds = record.durationMs / 1_000
    const bucket = DURATION_BUCKETS_S.findIndex((bound) => seconds <= bound)
    if (bucket >= 0) this.#add(histogram + bucket, 1)
    this.#add(histogram + DURATION_BUCKETS_S.length, seconds)
    this.#add(histogram + DURATION_BUCKETS_S.length + 1, 1)
    for (const limit of record.observed) this.#add(observedAt(this.#observedOf(record, limit)), 1)
  }

  /** Mostly the same as the last time for this rule: then no key has to be made. */
  #seriesOf(record: ExchangeRecord): number {
    const last = this.#last.get(record.rule)
    if (last !== undefined && isSameSeries(last.record, record)) return last.index
    const index = this.#lookUp(record)
    if (this.#last.size >= LAST_MAX) this.#last.clear()
    this.#last.set(record.rule, { record, index })
    return index
  }

  #lookUp(record: ExchangeRecord): number {
    const { rule, method, status, cause, backend } = record
    const known = METHODS.has(method) ? method : 'OTHER'
    const key = `${rule ?? ''} ${known} ${(status / 100) | 0} ${cause ?? ''} ${backend ?? ''}`
    return this.#series.get(key) ?? this.#newSeries(key, record, known)
  }

  #newSeries(key: string, record: ExchangeRecord, method: string): number {
    const index = this.#series.size
    if (index >= SERIES_MAX - 1) return this.#overflow('series', SERIES_MAX - 1)
    this.#series.set(key, index)
    const { cause, backend, status } = record
    const labels = {
      ...ruleLabels(record),
      method,
      class: `${Math.floor(status / 100)}xx`,
      cause: cause ?? '',
      backend: backend ?? '',
    }
    this.#announce({ kind: 'series', index, labels })
    return index
  }

  #histogramOf(record: ExchangeRecord): number {
    const key = record.rule ?? ''
    const known = this.#histograms.get(key)
    if (known !== undefined) return known
    const index = this.#histograms.size
    if (index >= HISTOGRAMS_MAX - 1) return this.#overflow('histogram', HISTOGRAMS_MAX - 1)
    this.#histograms.set(key, index)
    this.#announce({ kind: 'histogram', index, labels: ruleLabels(record) })
    return index
  }

  #observedOf(record: ExchangeRecord, limit: string): number {
    const key = `${record.rule ?? ''} ${limit}`
    const known = this.#observed.get(key)
    if (known !== undefined) return known
    const index = this.#observed.size
    if (index >= OBSERVED_MAX - 1) return this.#overflow('observed', OBSERVED_MAX - 1)
    this.#observed.set(key, index)
    this.#announce({ kind: 'observed', index, labels: { ...ruleLabels(record), limit } })
    return index
  }

  #overflow(kind: Announcement['kind'], index: number): number {
    if (this.#overflowed.has(kind)) return index
    this.#overflowed.add(kind)
    this.#announce(overflowOf(kind, index))
    return index
  }
}

function overflowOf(kind: Announcement['kind'], index: number): Announcement {
  const labels = { route: OVERFLOW, rule: OVERFLOW }
  switch (kind) {
    case 'series': {
      const none = { method: OVERFLOW, class: OVERFLOW, cause: OVERFLOW, backend: OVERFLOW }
      return { kind, index, labels: { ...labels, ...none } }
    }
    case 'histogram':
      return { kind, index, labels }
    case 'observed':
      return { kind, index, labels: { ...labels, limit: OVERFLOW } }
    default:
      return kind satisfies never
  }
}

function isSameSeries(one: ExchangeRecord, other: ExchangeRecord): boolean {
  return (
    one.status === other.status &&
    one.method === other.method &&
    one.backend === other.backend &&
    one.cause === other.cause
  )
}

function ruleLabels({ route, rule }: ExchangeRecord): HistogramLabels {
  return { route: route ?? '', rule: rule?.slice(rule.lastIndexOf('/') + 1) ?? '' }
}
