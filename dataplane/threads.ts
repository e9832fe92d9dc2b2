/**
 * The workers behind one door: starts them, hands each table to all of them at once, replaces those
 * that end, and drains them. The main thread's half of the data plane; it never serves itself.
 * Pinned by threads.test.ts: "a change that one worker cannot prepare is in force nowhere".
 */
import type { EndpointSet, Rejection } from '#wire/session'
import { objectId, type TableObject } from '#wire/table'
import type { KeySet } from './sync/keys-message.ts'
import type { Metrics } from './metrics.ts'
import type { Logger, TableChange, Workers } from './sync/port.ts'
import type { PlacedSet, Places } from './upstream/places.ts'
import type { Door, FromWorker, ToWorker, WorkerStart } from './worker-protocol.ts'
import { type ThreadOwner, WorkerThread } from './worker-thread.ts'

/** Pulses are looked at this often. */
const WATCH_EVERY_MS = 1_000
/** A thread that is stuck in native code outlives its termination: then the process must go. */
const TERMINATE_MS_MAX = 1_000

/** A worker that ends at once, again and again, is started again after 50 ms, 100 ms … 1 s. */
const RESTART_MS_MIN = 50
const RESTART_MS_MAX = 1_000
/** One that has lived so long starts the row anew. */
const RESTART_FORGET_MS = 10_000

/** What a replaced worker may still need for its streams. */
const REPLACED_GRACE_MS = 60_000

/** Slots in shared gauges: replacements serve beside those that still finish what they have. */
export function columnsOf(workers: number): number {
  return 2 * workers + 2
}

/** The same for all workers. */
type StartKey = Exclude<keyof WorkerStart, 'worker' | 'column' | 'slab' | 'pulse'>

export interface ThreadsOptions {
  readonly workers: number
  readonly start: Pick<WorkerStart, StartKey>
  readonly metrics: Pick<Metrics, 'addWorker' | 'announce' | 'retire'>
  readonly log: Logger
  /** Of endpoints in the counts that workers share. */
  readonly places: Pick<Places, 'place' | 'keep'>
  /** Whole lines, of one worker. */
  accessLog(lines: Uint8Array<ArrayBuffer>): void
  unknownKey(keySet: string): void
  /** What a new worker must know from the start. */
  keySets(): readonly KeySet[]
  /** Concurrency slots that a dead worker held. */
  columnFreed(column: number): void
  /** A thread does not end: only the end of the process helps. */
  stuck(): void
  /** closed: nobody listens before `open`. */
  readonly door?: Door
  readonly script?: URL
  readonly heapMbMax?: number
  readonly silentMsMax?: number
}

export class Threads implements Workers, ThreadOwner {
  readonly #options: ThreadsOptions
  /** One per place; the one that serves there, or is about to. */
  readonly #places: WorkerThread[] = []
  readonly #retiring = new Set<WorkerThread>()
  /** Those that asked to be replaced: once is enough. */
  readonly #wanted = new WeakSet<WorkerThread>()
  readonly #freeColumns: number[]
  readonly #endpoints = new Map<string, PlacedSet>()
  /** By objectId: what the workers run. */
  #objects: ReadonlyMap<string, TableObject> = new Map()
  #hash: string | null = null
  #mode: 'running' | 'closing' = 'running'
  #door: Door
  #turn = 0
  #lastId = 0
  #restarts = 0
  #restartDelayMs = 0
  #lastRestartMs = Number.NEGATIVE_INFINITY
  /** Swaps and new workers come one after another: each sees a table that stands still. */
  #queue: Promise<unknown> = Promise.resolve()
  #started: Promise<unknown> = Promise.resolve()
  /** Told to end because they were silent: they may be beyond help. */
  readonly #ending = new Set<WorkerThread>()
  readonly #watch: NodeJS.Timeout

  constructor(options: ThreadsOptions) {
    this.#options = options
    this.#door = options.door ?? 'open'
    this.#freeColumns = [...Array(columnsOf(options.workers)).keys()]
    this.#watch = setInterval(() => this.#look(), WATCH_EVERY_MS)
    this.#watch.unref()
  }

  /** Resolves when the code of every worker is loaded. */
  async start(): Promise<void> {
    for (let i = 0; i < this.#options.workers; i++) this.#places.push(this.#spawn())
    this.#started = Promise.all(this.#places.map((thread) => thread.started))
    await this.#started
    for (const thread of this.#places) this.#acquaint(thread)
  }

  /** Everybody who has a table listens when this resolves, all others once they have one. */
  async open(): Promise<void> {
    await this.#alone(async () => {
      this.#door = 'open'
      const turn = ++this.#turn
      const serving = this.threads.filter(({ state }) => state === 'serving')
      await this.#askAll(serving, { type: 'open', turn })
    })
  }

  get facts(): {
    readonly workers: number
    /** Of the places; one that is being replaced is not, though its old worker still serves. */
    readonly workersReady: number
    readonly workersServing: number
    readonly workerRestarts: number
  } {
    const isServing = ({ state }: WorkerThread): boolean => state === 'serving'
    return {
      workers: this.#options.workers,
      workersReady: this.#places.filter(isServing).length,
      workersServing: this.threads.filter(isServing).length,
      workerRestarts: this.#restarts,
    }
  }

  get hash(): string | null {
    return this.#hash
  }

  get objects(): ReadonlyMap<string, TableObject> {
    return this.#objects
  }

  get threads(): readonly WorkerThread[] {
    return [...this.#places, ...this.#retiring]
  }

  // ---- Workers -------------------------------------------------------------------------------

  async swap(change: TableChange): Promise<readonly Rejection[]> {
    const rejections = await this.#alone(() => this.#swapAll(change))
    // A worker that ended meanwhile has a successor, which waits behind us in the queue.
    await this.#queue
    return rejections
  }

  async #swapAll(change: TableChange): Promise<readonly Rejection[]> {
    await this.#started
    const bytes = sharedJson(change)
    const threads = this.threads.filter(({ state }) => state !== 'starting' && state !== 'gone')
    const turn = ++this.#turn
    const prepared = await this.#askAll(threads, { type: 'prepare', turn, change: bytes })
    if (typeof prepared === 'string') {
      for (const thread of threads) thread.tell({ type: 'discard', turn })
      throw new Error(prepared)
    }
    this.#objects = applied(this.#objects, change)
    this.#hash = change.hash
    for (const { kind, key } of change.drops) if (kind === 'backend') this.#endpoints.delete(key)
    this.#options.places.keep(this.#endpoints)
    const committed = await this.#askAll(threads, { type: 'commit', turn, door: this.#door })
    if (typeof committed === 'string' && this.facts.workersReady === 0) throw new Error(committed)
    return prepared
  }

  /**
   * The rejections of all, or why one of them failed. One that is on its way out cannot fail the
   * others; and one that lives but could not put a table in force must not go on with the old one.
   */
  async #askAll(
    threads: readonly WorkerThread[],
    message: Extract<ToWorker, { readonly type: 'prepare' | 'commit' | 'open' }>,
  ): Promise<readonly Rejection[] | string> {
    const answers = await Promise.all(threads.map((thread) => thread.ask(message)))
    let result: readonly Rejection[] | string = []
    for (const [i, thread] of threads.entries()) {
      const answer = answers[i]
      if (answer === undefined) continue
      const isLeaving = this.#retiring.has(thread)
      if (answer.kind === 'failed' && (isLeaving || message.type !== 'prepare')) {
        void thread.terminate(answer.because)
      }
      if (!isLeaving && typeof result !== 'string') {
        result = answer.kind === 'failed' ? answer.because : answer.rejections
      }
    }
    return result
  }

  endpoints(sets: readonly EndpointSet[]): void {
    const placed = sets.map((set) => this.#options.places.place(set))
    for (const set of placed) this.#endpoints.set(set.backend, set)
    this.#tellAll({ type: 'endpoints', sets: placed })
  }

  keySets(sets: readonly KeySet[]): void {
    this.#tellAll({ type: 'keySets', sets })
  }

  #tellAll(message: ToWorker): void {
    for (const thread of this.threads) if (thread.state !== 'starting') thread.tell(message)
  }

  // ---- ThreadOwner ---------------------------------------------------------------------------

  said(thread: WorkerThread, message: FromWorker): void {
    const { metrics, log } = this.#options
    switch (message.type) {
      case 'announce':
        return metrics.announce(thread.id, message.announcement)
      case 'log':
        thread.logTaken(message.lines.length)
        return this.#options.accessLog(message.lines)
      case 'unknownKey':
        return this.#options.unknownKey(message.keySet)
      case 'bug':
        return log.error({ worker: thread.id, bug: message.text }, 'a request met a bug')
      case 'escaped':
        log.error({ worker: thread.id, bug: message.text }, 'a worker met a bug: it is replaced')
        return this.#replace(thread)
      default:
        return undefined
    }
  }

  exited(thread: WorkerThread, because: string): void {
    this.#options.metrics.retire(thread.id)
    this.#freeColumns.push(thread.column)
    this.#options.columnFreed(thread.column)
    if (this.#retiring.delete(thread) || this.#mode === 'closing') return
    const place = this.#places.indexOf(thread)
    if (place < 0) return
    this.#options.log.error({ worker: thread.id, because }, 'a worker ended: it is replaced')
    this.#restarts++
    setTimeout(() => this.#fill(place), this.#nextDelay())
  }

  // ---- replacing -----------------------------------------------------------------------------

  #nextDelay(): number {
    const now = performance.now()
    const isFirst = now - this.#lastRestartMs > RESTART_FORGET_MS
    this.#lastRestartMs = now
    const doubled = Math.max(RESTART_MS_MIN, this.#restartDelayMs * 2)
    this.#restartDelayMs = isFirst ? 0 : Math.min(RESTART_MS_MAX, doubled)
    return this.#restartDelayMs
  }

  /** A new worker takes the place of one that has ended. */
  #fill(place: number): void {
    if (this.#mode === 'closing') return
    const thread = this.#spawn()
    this.#places[place] = thread
    this.#bring(thread).catch(() => undefined)
  }

  /** A new worker comes up beside one that wants to go; only then the old one stops to accept. */
  #replace(old: WorkerThread): void {
    if (this.#wanted.has(old)) return
    this.#wanted.add(old)
    setTimeout(() => this.#replaceNow(old), this.#nextDelay())
  }

  #replaceNow(old: WorkerThread): void {
    const place = this.#places.indexOf(old)
    if (place < 0 || this.#mode === 'closing') return
    if (this.#freeColumns.length === 0) {
      // So many are still on their way out: it goes on until one of them has gone.
      setTimeout(() => this.#replaceNow(old), RESTART_MS_MAX)
      return
    }
    this.#restarts++
    const next = this.#spawn()
    this.#places[place] = next
    this.#retiring.add(old)
    const retire = (): void =>
      old.tell({ type: 'drain', graceMs: REPLACED_GRACE_MS, why: 'replaced' })
    // Where two cannot listen at once, the old one must stop first.
    if (this.#options.start.sharing === 'alone') retire()
    this.#bring(next)
      .catch(() => undefined)
      .finally(retire)
  }

  /** To the table of the moment, with all that a worker must know. */
  async #bring(thread: WorkerThread): Promise<void> {
    await thread.started
    this.#acquaint(thread)
    await this.#alone(async () => {
      const turn = ++this.#turn
      if (this.#hash === null) return
      const puts = [...this.#objects.values()]
      const change = sharedJson({ from: 'snapshot', puts, drops: [], hash: this.#hash })
      const prepared = await thread.ask({ type: 'prepare', turn, change })
      const committed =
        prepared.kind === 'prepared'
          ? await thread.ask({ type: 'commit', turn, door: this.#door })
          : prepared
      if (committed.kind === 'failed') await thread.terminate(committed.because)
    })
  }

  #acquaint(thread: WorkerThread): void {
    thread.tell({ type: 'endpoints', sets: [...this.#endpoints.values()] })
    thread.tell({ type: 'keySets', sets: this.#options.keySets() })
  }

  /** Of TLS sessions; a new worker gets its own with the start. */
  ticketKeys(keys: Uint8Array): void {
    for (const thread of this.threads) thread.tell({ type: 'ticketKeys', keys })
  }

  #alone<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(step)
    this.#queue = result.catch(() => undefined)
    return result
  }

  #spawn(): WorkerThread {
    const { start, metrics, script, heapMbMax, silentMsMax } = this.#options
    const column = this.#freeColumns.shift()
    if (column === undefined) throw new Error('every column of the shared gauges is taken')
    this.#lastId++
    const bounds = { script, heapMbMax, silentMsMax }
    const thread = new WorkerThread({ ...start, worker: this.#lastId, column }, this, bounds)
    metrics.addWorker(thread.id, thread.slab)
    return thread
  }

  // ---- watching and the end ------------------------------------------------------------------

  #look(): void {
    const now = performance.now()
    for (const thread of this.threads) {
      if (thread.state === 'gone' || this.#ending.has(thread)) continue
      if (thread.pulse(now) === 'silent') void this.#end(thread)
    }
  }

  async #end(thread: WorkerThread): Promise<void> {
    this.#options.log.error({ worker: thread.id }, 'a worker is silent: it is ended')
    this.#ending.add(thread)
    const late = setTimeout(() => this.#options.stuck(), TERMINATE_MS_MAX)
    await thread.terminate('it was silent')
    this.#ending.delete(thread)
    clearTimeout(late)
  }

  /**
   * In-flight requests end within the grace; what then still runs is cut off. stuck: a thread hangs
   * in native code and cannot be cut off, also not by the ordinary end of the process.
   */
  async close(graceMs: number): Promise<'ended' | 'stuck'> {
    this.#mode = 'closing'
    clearInterval(this.#watch)
    const threads = this.threads.filter((thread) => !this.#ending.has(thread))
    for (const thread of threads) thread.tell({ type: 'drain', graceMs, why: 'shutdown' })
    const all = Promise.all(threads.map(({ exit }) => exit))
    const inTime = await within(all, graceMs + TERMINATE_MS_MAX)
    if (inTime === 'no') {
      for (const thread of threads) void thread.terminate('the grace is over')
      await within(all, TERMINATE_MS_MAX)
    }
    return this.threads.some(({ state }) => state !== 'gone') ? 'stuck' : 'ended'
  }
}

async function within(done: Promise<unknown>, limitMs: number): Promise<'yes' | 'no'> {
  const late = Promise.withResolvers<'no'>()
  const timer = setTimeout(() => late.resolve('no'), limitMs)
  const ended = await Promise.race([done.then(() => 'yes' as const), late.promise])
  clearTimeout(timer)
  return ended
}

function applied(
  before: ReadonlyMap<string, TableObject>,
  { from, puts, drops }: TableChange,
): Map<string, TableObject> {
  const objects = new Map(from === 'snapshot' ? [] : before)
  for (const { kind, key } of drops) objects.delete(objectId(kind, key))
  for (const object of puts) objects.set(objectId(object.kind, object.key), object)
  return objects
}

/** Encoded once, read by every worker. */
function sharedJson(change: TableChange): SharedArrayBuffer {
  const bytes = Buffer.from(JSON.stringify(change))
  const shared = new SharedArrayBuffer(bytes.length)
  new Uint8Array(shared).set(bytes)
  return shared
}
