/**
 * What a data plane counts: sums over the slabs of all workers, those that have gone included. On the
 * main thread only: a scrape of thousands of series would block the requests of a worker.
 * Pinned by metrics.test.ts: "what workers count is what a scrape shows, even when gone".
 */
import type { ShownMetrics } from './metrics-shown.ts'
import {
  type Announcement,
  CELLS,
  HISTOGRAM_CELLS,
  histogramAt,
  type HistogramLabels,
  observedAt,
  type ObservedLabels,
  SERIES_CELLS,
  seriesAt,
  type SeriesLabels,
} from './metrics-slab.ts'

/** What only the main thread knows. */
export interface ProcessFacts {
  readonly workers: number
  readonly workersReady: number
  readonly workerRestarts: number
  readonly ready: 0 | 1
  readonly memoryUsed: number
  readonly memoryLimit: number
  readonly memoryPressure: number
  readonly endpointsOut: number
}

interface WorkerColumn {
  readonly cells: Float64Array
  /** By index in the slab. */
  readonly series: Map<number, SeriesLabels>
  readonly histograms: Map<number, HistogramLabels>
  readonly observed: Map<number, ObservedLabels>
}

export interface Sum<L> {
  readonly labels: L
  readonly values: number[]
}

export class Metrics {
  readonly #facts: () => ProcessFacts
  /** What renders; loaded for the first scrape, because a start waits for nothing of it. */
  #shown: Promise<ShownMetrics> | null = null
  readonly #columns = new Map<number, WorkerColumn>()
  /** Of workers that have gone, by labels: counters never go back. */
  readonly #retired = {
    cells: new Float64Array(Object.keys(CELLS).length),
    series: new Map<string, Sum<SeriesLabels>>(),
    histograms: new Map<string, Sum<HistogramLabels>>(),
    observed: new Map<string, Sum<ObservedLabels>>(),
  }

  constructor(facts: () => ProcessFacts) {
    this.#facts = facts
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
    this.#shown ??= this.#show()
    return (await this.#shown).render()
  }

  async #show(): Promise<ShownMetrics> {
    const { ShownMetrics } = await import('./metrics-shown.ts')
    return new ShownMetrics(this, this.#facts)
  }

  // ---- sums over workers -----------------------------------------------------------------------

  cell(name: keyof typeof CELLS): number {
    let sum = this.#retired.cells[CELLS[name]] ?? 0
    for (const { cells } of this.#columns.values()) sum += cells[CELLS[name]] ?? 0
    return sum
  }

  series(): Sum<SeriesLabels>[] {
    const sums = copyOf(this.#retired.series)
    for (const column of this.#columns.values()) addSeries(sums, column)
    return [...sums.values()]
  }

  histograms(): Sum<HistogramLabels>[] {
    const sums = copyOf(this.#retired.histograms)
    for (const column of this.#columns.values()) addHistograms(sums, column)
    return [...sums.values()]
  }

  observed(): Sum<ObservedLabels>[] {
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
