/**
 * The metrics of a data plane as a scrape sees them, rendered by prom-client from the sums over all
 * workers. Loaded for the first scrape.
 * Pinned by metrics.test.ts: "what workers count is what a scrape shows, even when gone".
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Metrics, ProcessFacts, Sum } from './metrics.ts'
import {
  type CELLS,
  DURATION_BUCKETS_S,
  type HistogramLabels,
  type ObservedLabels,
  type SeriesLabels,
} from './metrics-slab.ts'

const REQUEST_LABELS = ['route', 'rule', 'method', 'class', 'cause', 'backend'] as const
type RequestLabel = (typeof REQUEST_LABELS)[number]

export class ShownMetrics {
  readonly #registry = new Registry()
  readonly #sums: Metrics

  constructor(sums: Metrics, facts: () => ProcessFacts) {
    this.#sums = sums
    collectDefaultMetrics({ register: this.#registry })
    this.#registerRequests()
    this.#registerCells()
    this.#registerFacts(facts)
  }

  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  #registerRequests(): void {
    const sums = (): Sum<SeriesLabels>[] => this.#sums.series()
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
    const durations = new SlabHistogram(() => this.#sums.histograms())
    this.#registry.registerMetric(durations)
    this.#registerObserved()
  }

  #registerObserved(): void {
    const sums = (): Sum<ObservedLabels>[] => this.#sums.observed()
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
    const cell = (name: keyof typeof CELLS): number => this.#sums.cell(name)
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
    const out = 'Endpoints that are out of use because they fail where others do not.'
    this.#gauge('fairlead_upstream_endpoints_out', out, () => facts().endpointsOut)
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
