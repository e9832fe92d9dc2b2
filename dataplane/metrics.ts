/**
 * The metrics of a data plane as a scrape sees them: sums over the slabs of all workers, those that
 * have gone included, rendered by prom-client. On the main thread only: a scrape of thousands of
 * series would block the requests of a worker.
 * Pinned by metrics.test.ts: "what workers count is what a scrape shows, even when gone".
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import {
  type Announcement,
  CELLS,
  DURATION_BUCKETS_S,
  HISTOGRAM_CELLS,
  histogramAt,
  type HistogramLabels,
  observedAt,
  type ObservedLabels,
  SERIES_CELLS,
  seriesAt,
  type SeriesLabels,
} from './metrics-slab.ts'

const REQUEST_LABELS = ['route', 'rule', 'method', 'class', 'cause', 'backend'] as const
type RequestLabel = (typeof REQUEST_LABELS)[number]

/** What only the main thread knows. */
export interface ProcessFacts {
  readonly workers: number
  readonly workersReady: number
  readonly workerRestarts: number
  readonly ready: 0 | 1
  readonly memoryUsed: number
  readonly memoryLimit: number
  readonly memoryPressure: number
}

interface WorkerColumn {
  readonly cells: Float64Array
  /** By index in the slab. */
  readonly series: Map<number, SeriesLabels>
  readonly histograms: Map<number, HistogramLabels>
  readonly observed: Map<number, ObservedLabels>
}

interface Sum<L> {
  readonly labels: L
  readonly values: number[]
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #columns = new Map<number, WorkerColumn>()
  /** Of workers that have gone, by labels: counters never go back. */
  readonly #retired = {
    cells: new Float64Array(Object.keys(CELLS).length),
    series: new Map<string, Sum<SeriesLabels>>(),
    histograms: new Map<string, Sum<HistogramLabels>>(),
    observed: new Map<string, Sum<ObservedLabels>>(),
  }

  constructor(facts: () => ProcessFacts) {
    collectDefaultMetrics({ register: this.#registry })
    this.#registerRequests()
    this.#registerCells()
    this.#registerFacts(facts)
  }

  addWorker(worker: number, slab: SharedArrayBuffer): void {
    this.#columns.set(worker, {
      cells: new Float64Array(slab),
      series: new Map(),
      histograms: new Map(),
      observed: new Map(),
    })
  }

  announce(worker: number, announcement: Announcement): void {
    const column = this.#columns.get(worker)
    if (column === undefined) return
    const { kind, index } = announcement
    switch (kind) {
      case 'series':
        column.series.set(index, announcement.labels)
        return
      case 'histogram':
        column.histograms.set(index, announcement.labels)
        return
      case 'observed':
        column.observed.set(index, announcement.labels)
        return
      default:
        announcement satisfies never
    }
  }

  /** The worker has exited: what it counted stays. */
  retire(worker: number): void {
    const column = this.#columns.get(worker)
    if (column === undefined) return
    this.#columns.delete(worker)
    addSeries(this.#retired.series, column)
    addHistograms(this.#retired.histograms, column)
    addObserved(this.#retired.observed, column)
    const { cells } = this.#retired
    for (let i = 0; i < cells.length; i++) cells[i] = (cells[i] ?? 0) + (column.cells[i] ?? 0)
    // Requests that died with it are not in flight any more.
    cells[CELLS.ended] = cells[CELLS.started] ?? 0
  }

  /** By the main thread itself, because nobody reads its output. */
  logLinesDropped(lines: number): void {
    const { cells } = this.#retired
    cells[CELLS.logDropped] = (cells[CELLS.logDropped] ?? 0) + lines
  }

  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  // ---- what is shown ---------------------------------------------------------------------------

  #registerRequests(): void {
    const sums = (): Sum<SeriesLabels>[] => this.#series()
    const counter = (name: string, help: string, cell: number): void => {
      const registers = [this.#registry]
      const made: Counter<RequestLabel> = new Counter({
        name,
        help,
        labelNames: [...REQUEST_LABELS],
        registers,
        collect() {
          made.reset()
          for (const { labels, values } of sums()) made.inc({ ...labels }, values[cell] ?? 0)
        },
      })
    }
    counter('fairlead_requests_total', 'Requests that were answered or given up.', 0)
    counter('fairlead_request_bytes_total', 'Bytes of request bodies that were read.', 1)
    counter('fairlead_response_bytes_total', 'Bytes of response bodies that were sent.', 2)
    const durations = new SlabHistogram(() => this.#histograms())
    this.#registry.registerMetric(durations)
    this.#registerObserved()
  }

  #registerObserved(): void {
    const sums = (): Sum<ObservedLabels>[] => this.#observed()
    const made: Counter<keyof ObservedLabels> = new Counter({
      name: 'fairlead_limit_observed_total',
      help: 'Requests that a limit in observe mode would have refused.',
      labelNames: ['route', 'rule', 'limit'],
      registers: [this.#registry],
      collect() {
        made.reset()
        for (const { labels, values } of sums()) made.inc({ ...labels }, values[0] ?? 0)
      },
    })
  }

  #registerCells(): void {
    const cell = (name: keyof typeof CELLS): number => this.#cell(name)
    const counter = (name: string, help: string, of: keyof typeof CELLS): void => {
      const made: Counter = new Counter({
        name,
        help,
        registers: [this.#registry],
        collect() {
          made.reset()
          made.inc(cell(of))
        },
      })
    }
    counter('fairlead_bugs_total', 'Exceptions that a request met in the gateway itself.', 'bugs')
    counter(
      'fairlead_upstream_retries_total',
      'Attempts that were made because an earlier one failed, as a rule allows.',
      'retries',
    )
    counter('fairlead_upstream_hedges_total', 'Attempts beside one that was slow.', 'hedges')
    const unpaid = 'Attempts that were not made because the budget of their backend was used up.'
    counter('fairlead_upstream_retries_refused_total', unpaid, 'retriesRefused')
    const dropped = 'Lines of the access log that were dropped because nobody read them.'
    counter('fairlead_log_lines_dropped_total', dropped, 'logDropped')
    counter('fairlead_mirrored_total', 'Copies of requests that were sent to a mirror.', 'mirrored')
    const missed = 'Requests that were not mirrored: too large, or too many at once.'
    counter('fairlead_mirrors_dropped_total', missed, 'mirrorsDropped')
    const served = 'Answers that were served from the store of a `cache`, also old ones.'
    counter('fairlead_cache_served_total', served, 'cacheServed')
    const waits = 'Requests that waited for the answer which another one was fetching.'
    counter('fairlead_cache_waits_total', waits, 'cacheWaits')
    const refreshes = 'Old answers that were asked for again while they were served.'
    counter('fairlead_cache_refreshes_total', refreshes, 'cacheRefreshes')
    const refused = 'Connections that were closed unanswered, because there were too many.'
    counter('fairlead_connections_refused_total', refused, 'refused')
    this.#gauge('fairlead_requests_in_flight', 'Requests that are being served.', () =>
      Math.max(0, cell('started') - cell('ended')),
    )
  }

  #registerFacts(facts: () => ProcessFacts): void {
    this.#gauge('fairlead_workers', 'Threads that serve.', () => facts().workers)
    const ready = 'Threads that serve the current table.'
    this.#gauge('fairlead_workers_ready', ready, () => facts().workersReady)
    const restarts = 'Threads that were replaced since the process started.'
    this.#gauge('fairlead_worker_restarts', restarts, () => facts().workerRestarts)
    const used = 'Memory that is held: heaps, bodies, sockets, caches.'
    this.#gauge('fairlead_memory_used_bytes', used, () => facts().memoryUsed)
    const limit = 'Memory limit of the process; 0: none.'
    this.#gauge('fairlead_memory_limit_bytes', limit, () => facts().memoryLimit)
    const pressure = 'What is done for want of memory: 0 nothing to 3 nobody is accepted.'
    this.#gauge('fairlead_memory_pressure', pressure, () => facts().memoryPressure)
    this.#gauge('fairlead_ready', 'Whether /readyz answers 200.', () => facts().ready)
  }

  #gauge(name: string, help: string, read: () => number): void {
    const made: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        made.set(read())
      },
    })
  }

  // ---- sums over workers -----------------------------------------------------------------------

  #cell(name: keyof typeof CELLS): number {
    let sum = this.#retired.cells[CELLS[name]] ?? 0
    for (const { cells } of this.#columns.values()) sum += cells[CELLS[name]] ?? 0
    return sum
  }

  #series(): Sum<SeriesLabels>[] {
    const sums = copyOf(this.#retired.series)
    for (const column of this.#columns.values()) addSeries(sums, column)
    return [...sums.values()]
  }

  #histograms(): Sum<HistogramLabels>[] {
    const sums = copyOf(this.#retired.histograms)
    for (const column of this.#columns.values()) addHistograms(sums, column)
    return [...sums.values()]
  }

  #observed(): Sum<ObservedLabels>[] {
    const sums = copyOf(this.#retired.observed)
    for (const column of this.#columns.values()) addObserved(sums, column)
    return [...sums.values()]
  }
}

function copyOf<L>(sums: ReadonlyMap<string, Sum<L>>): Map<string, Sum<L>> {
  return new Map(
    [...sums].map(([key, { labels, values }]) => [key, { labels, values: [...values] }]),
  )
}

function addSeries(sums: Map<string, Sum<SeriesLabels>>, { cells, series }: WorkerColumn): void {
  for (const [index, labels] of series) {
    const at = seriesAt(index)
    addTo(sums, labels, cells.subarray(at, at + SERIES_CELLS))
  }
}

function addHistograms(
  sums: Map<string, Sum<HistogramLabels>>,
  { cells, histograms }: WorkerColumn,
): void {
  for (const [index, labels] of histograms) {
    const at = histogramAt(index)
    addTo(sums, labels, cells.subarray(at, at + HISTOGRAM_CELLS))
  }
}

function addObserved(
  sums: Map<string, Sum<ObservedLabels>>,
  { cells, observed }: WorkerColumn,
): void {
  for (const [index, labels] of observed) {
    const at = observedAt(index)
    addTo(sums, labels, cells.subarray(at, at + 1))
  }
}

function addTo<L extends object>(sums: Map<string, Sum<L>>, labels: L, values: Float64Array): void {
  const key = JSON.stringify(labels)
  const sum = sums.get(key)
  if (sum === undefined) sums.set(key, { labels, values: [...values] })
  else
    for (let i = 0; i < values.length; i++) sum.values[i] = (sum.values[i] ?? 0) + (values[i] ?? 0)
}

const DURATION = {
  name: 'fairlead_request_duration_seconds',
  help: 'From the head of a request to the last byte of its answer.',
} as const

type HistogramObject = Awaited<ReturnType<Histogram<'route' | 'rule'>['get']>>

/** prom-client observes one value at a time; the slabs hold counts already. */
class SlabHistogram extends Histogram<'route' | 'rule'> {
  readonly #sums: () => Sum<HistogramLabels>[]

  constructor(sums: () => Sum<HistogramLabels>[]) {
    super({ ...DURATION, labelNames: ['route', 'rule'], registers: [] })
    this.#sums = sums
  }

  /** What the registry asks for when it renders. */
  getForPromString(): Promise<object> {
    const values = this.#sums().flatMap(valuesOf)
    return Promise.resolve({ ...DURATION, type: 'histogram', aggregator: 'sum', values })
  }
}

function valuesOf({ labels, values }: Sum<HistogramLabels>): HistogramObject['values'] {
  const { name } = DURATION
  const lines: HistogramObject['values'] = []
  let below = 0
  for (const [i, bound] of DURATION_BUCKETS_S.entries()) {
    below += values[i] ?? 0
    lines.push(line(`${name}_bucket`, { ...labels, le: bound }, below))
  }
  const count = values[DURATION_BUCKETS_S.length + 1] ?? 0
  lines.push(line(`${name}_bucket`, { ...labels, le: '+Inf' }, count))
  lines.push(line(`${name}_sum`, labels, values[DURATION_BUCKETS_S.length] ?? 0))
  lines.push(line(`${name}_count`, labels, count))
  return lines
}

function line(
  metricName: string,
  labels: object,
  value: number,
): HistogramObject['values'][number] {
  return { metricName, labels, value }
}
