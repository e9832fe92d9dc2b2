/**
 * A worker's root: one thread that serves. It puts together the front, the phases' environment and
 * the upstream, prepares the tables that the main thread hands it, and says what it sees.
 * Pinned by worker-thread.test.ts: "a worker that dies is replaced and brought to the current table".
 */
import { randomBytes } from 'node:crypto'
import { flushCompileCache } from 'node:module'
import { setTimeout as wait } from 'node:timers/promises'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { monotonicMs, wallClockMs } from './clock.ts'
import { drain } from './front/drain.ts'
import { Front } from './front/front.ts'
import { BOUNDS } from './front/http1.ts'
import { collector, PressureValve } from './front/pressure.ts'
import { SharedLimiter } from './limits/shared-limiter.ts'
import { AccessLines } from './log.ts'
import { LogShipping } from './log-shipping.ts'
import { bytesHeld, LOOK_AT_MEMORY_EVERY_MS, MemoryBoard } from './memory.ts'
import { MetricsSlab } from './metrics-slab.ts'
import { createAuthEnvironment } from './phases/authenticate/environment.ts'
import { idSource } from './request/id.ts'
import { serve } from './request/serve.ts'
import { type Built, emptyTable, TableBuilder } from './runtime/build.ts'
import { TableDirectory } from './runtime/directory.ts'
import { createBeside } from './runtime/beside.ts'
import { expressionsWith, loadParser } from './runtime/expression-closures.ts'
import { Library } from './runtime/library.ts'
import { createPreparer } from './runtime/preparer.ts'
import type { Runtime } from './runtime/runtime.ts'
import { inSlices } from './runtime/slices.ts'
import type { TableChange } from './sync/port.ts'
import { UpstreamCounts } from './upstream/counts.ts'
import { Deadlines } from './upstream/deadlines.ts'
import { UpstreamMarks } from './upstream/marks.ts'
import { UndiciUpstream } from './upstream/undici.ts'
import {
  type FromWorker,
  PULSE_EVERY_MS,
  type ToWorker,
  type WorkerStart,
} from './worker-protocol.ts'

/** Of one worker and second: a bug that every request meets must not fill the log. */
const BUGS_TOLD_MAX = 5
const BUGS_EVERY_MS = 1_000

/** Of building a table, between which exchanges have their turn. */
const SLICE_MS = 4

/** What is on its way to the main thread when the thread ends would be lost. */
const LAST_WORDS_MS = 20

const CELL_OF = { retry: 'retries', hedge: 'hedges', refused: 'retriesRefused' } as const

/** `transfer`: memory that goes with the message. */
type Say = (message: FromWorker, transfer?: readonly ArrayBuffer[]) => void

class ServingThread {
  readonly #start: WorkerStart
  readonly #say: Say
  readonly #slab: MetricsSlab
  readonly #shipping: LogShipping | null
  readonly #auth = createAuthEnvironment((keySet) => this.#say({ type: 'unknownKey', keySet }))
  /** A third of a worker's start. */
  readonly #parser = new Library(loadParser)
  readonly #upstream: UndiciUpstream
  readonly #builder: TableBuilder
  readonly #runtime: Runtime
  readonly #front: Front
  readonly #pressure: PressureValve
  #prepared: { readonly turn: number; readonly built: Built } | null = null
  #listening: 'no' | 'yes' = 'no'
  /** Read once for each request. */
  #wallMs = 0
  #bugsTold = 0
  #bugsSinceMs = 0

  constructor(start: WorkerStart, say: Say) {
    this.#start = start
    this.#say = say
    this.#slab = new MetricsSlab(start.slab, (announcement) =>
      say({ type: 'announce', announcement }),
    )
    this.#shipping = start.accessLog === 'on' ? this.#newShipping() : null
    const deadlines = new Deadlines(monotonicMs)
    this.#upstream = new UndiciUpstream({
      now: monotonicMs,
      random: Math.random,
      deadlines,
      counts: new UpstreamCounts(start.upstream, start.column),
      marks: new UpstreamMarks(start.upstream),
      happened: (event) => this.#slab.add(CELL_OF[event], 1),
      undici: new Library(async () => (await import('./upstream/pool.ts')).UndiciLane),
    })
    const directory = new TableDirectory()
    const prepare = createPreparer(expressionsWith(this.#parser))
    this.#builder = new TableBuilder({ prepare, directory, auth: this.#auth })
    this.#runtime = {
      table: emptyTable(),
      httpsPort: start.https?.port ?? null,
      upstream: this.#upstream,
      limiter: new SharedLimiter(start.limits, start.column),
      sinks: this.#shipping === null ? [this.#slab] : [this.#slab, this.#shipping],
      beside: createBeside((what) => this.#slab.add(what, 1)),
      bug: (error) => this.#bug(error),
    }
    this.#front = this.#newFront(deadlines)
    this.#pressure = this.#newPressure()
    pulse(start.pulse)
  }

  #newShipping(): LogShipping {
    return new LogShipping(new AccessLines(), this.#slab, (lines, count) =>
      this.#say({ type: 'log', lines, count }, [lines.buffer]),
    )
  }

  #newFront(deadlines: Deadlines): Front {
    const runtime = this.#runtime
    return new Front(
      {
        now: monotonicMs,
        wallClock: () => {
          this.#wallMs = wallClockMs()
          return this.#wallMs
        },
        newId: idSource(randomBytes(5), () => this.#wallMs),
        deadlines,
        trustedProxies: () => runtime.table.trustedProxies,
        tls: () => runtime.table.tls,
        serve: (exchange) => {
          this.#slab.add('started', 1)
          exchange.decision ??= this.#pressure.refusal
          void serve(exchange, runtime)
        },
        refused: () => this.#slab.add('refused', 1),
        bug: (error) => this.escaped(error),
      },
      { ...BOUNDS, connectionsMax: this.#start.connectionsMax },
    )
  }

  #newPressure(): PressureValve {
    const { memory, column } = this.#start
    const valve = new PressureValve({
      board: new MemoryBoard(memory),
      column,
      front: this.#front,
      held: bytesHeld,
      now: monotonicMs,
      collect: collector(),
    })
    setInterval(() => valve.look(), LOOK_AT_MEMORY_EVERY_MS).unref()
    return valve
  }

  // ---- what the main thread says -------------------------------------------------------------

  async hear(message: ToWorker): Promise<void> {
    switch (message.type) {
      case 'prepare':
        return this.#prepare(message.turn, message.change)
      case 'commit':
        return this.#commit(message)
      case 'open':
        return this.#open(message.turn)
      case 'discard':
        this.#prepared = null
        return
      case 'endpoints':
        for (const set of message.sets) this.#upstream.endpoints(set)
        return
      case 'keySets':
        return this.#auth.keySets.apply(message)
      case 'ticketKeys':
        return this.#front.ticketKeys(message.keys)
      case 'drain':
        return this.#drain(message)
      default:
        return message satisfies never
    }
  }

  async #prepare(turn: number, shared: SharedArrayBuffer): Promise<void> {
    try {
      const change: TableChange = JSON.parse(Buffer.from(shared).toString('utf8'))
      let built = await this.#build(change)
      if ((await this.#parser.loadMissed()) === 'loaded') built = await this.#build(change)
      await this.#upstream.load(built.backends)
      this.#prepared = { turn, built }
      this.#say({ type: 'prepared', turn, rejections: built.rejections })
    } catch (error) {
      this.#say({ type: 'unprepared', turn, because: textOf(error) })
    }
  }

  #build(change: TableChange): Promise<Built> {
    return inSlices(this.#builder.building(change), SLICE_MS, monotonicMs)
  }

  async #commit({ turn, door }: Extract<ToWorker, { readonly type: 'commit' }>): Promise<void> {
    try {
      if (this.#prepared?.turn !== turn) throw new Error('what is to be committed is not prepared')
      const { built } = this.#prepared
      this.#prepared = null
      built.commit()
      this.#upstream.backends(built.backends)
      this.#runtime.table = built.table
      if (door === 'open') await this.#listen()
      this.#say({ type: 'committed', turn })
    } catch (error) {
      this.#say({ type: 'uncommitted', turn, because: textOf(error) })
    }
  }

  async #open(turn: number): Promise<void> {
    try {
      await this.#listen()
      this.#say({ type: 'committed', turn })
    } catch (error) {
      this.#say({ type: 'uncommitted', turn, because: textOf(error) })
    }
  }

  /** Not before there is something to serve: a 404 of an empty table would be a wrong answer. */
  async #listen(): Promise<void> {
    if (this.#listening === 'yes') return
    this.#listening = 'yes'
    const { host, port, sharing, https } = this.#start
    const reusePort = sharing === 'reusePort'
    await this.#front.listen({ host, port, reusePort })
    if (https === null) return
    await this.#front.listenTls({ host: https.host, port: https.port, reusePort }, https)
  }

  async #drain(message: Extract<ToWorker, { readonly type: 'drain' }>): Promise<void> {
    const { graceMs, why } = message
    await drain(this.#front, { graceMs, why, now: monotonicMs })
    // What was cut off is recorded when its connection has closed.
    await wait(LAST_WORDS_MS)
    this.#shipping?.flush()
    await wait(LAST_WORDS_MS)
    process.exit(0)
  }

  // ---- what it says --------------------------------------------------------------------------

  /** An exchange has contained it. */
  #bug(error: unknown): void {
    this.#tell('bug', error)
  }

  /** Nobody knows what it has left behind: the thread goes on, but not for long. */
  escaped(error: unknown): void {
    this.#tell('escaped', error)
  }

  #tell(type: 'bug' | 'escaped', error: unknown): void {
    this.#slab.add('bugs', 1)
    const now = monotonicMs()
    if (now - this.#bugsSinceMs > BUGS_EVERY_MS) {
      this.#bugsSinceMs = now
      this.#bugsTold = 0
    }
    this.#bugsTold++
    if (this.#bugsTold <= BUGS_TOLD_MAX) this.#say({ type, text: textOf(error) })
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function pulse(shared: SharedArrayBuffer): void {
  const count = new Int32Array(shared)
  const beat = (): void => void Atomics.add(count, 0, 1)
  beat()
  setInterval(beat, PULSE_EVERY_MS)
}

function run(): void {
  if (isMainThread || parentPort === null) throw new Error('a worker runs in a thread of its own')
  const port = parentPort
  const start: WorkerStart = workerData
  const thread = new ServingThread(start, (message, transfer) =>
    port.postMessage(message, [...(transfer ?? [])]),
  )
  process.on('uncaughtException', (error) => thread.escaped(error))
  port.on('message', (message: ToWorker) => {
    thread.hear(message).catch((error: unknown) => thread.escaped(error))
  })
  port.postMessage({ type: 'started' } satisfies FromWorker)
  // Before there is traffic: whoever comes after a kill -9 finds the code compiled.
  flushCompileCache()
}

run()
