/**
 * One worker as the main thread sees it: what it was asked, what it has answered, and whether it is
 * alive. Knows nothing of the others; threads.ts keeps them together.
 * Pinned by worker-thread.test.ts: "a worker that dies is replaced and brought to the current table".
 */
import { Worker } from 'node:worker_threads'
import type { Rejection } from '#wire/session'
import { CELLS, newSlab } from './metrics-slab.ts'
import {
  type FromWorker,
  SILENT_MS_MAX,
  type ToWorker,
  type WorkerStart,
} from './worker-protocol.ts'

/** The rest of the process must survive a worker that grows without end. */
const HEAP_MB_MAX = 512

/** Preparing the largest table keeps a worker busy for longer than a pulse. */
const SILENT_WHILE_PREPARING_MS_MAX = 60_000

export type Prepared =
  | { readonly kind: 'prepared'; readonly rejections: readonly Rejection[] }
  | { readonly kind: 'failed'; readonly because: string }

export interface ThreadOwner {
  /** All that is not the answer to a question of this thread. */
  said(thread: WorkerThread, message: FromWorker): void
  exited(thread: WorkerThread, because: string): void
}

export interface ThreadBounds {
  readonly script?: URL | undefined
  readonly heapMbMax?: number | undefined
  readonly silentMsMax?: number | undefined
}

interface Question {
  readonly turn: number
  readonly answer: (prepared: Prepared) => void
}

export class WorkerThread {
  readonly id: number
  readonly column: number
  readonly slab = newSlab()
  /** starting → idle (loaded, no table) → serving → gone */
  state: 'starting' | 'idle' | 'serving' | 'gone' = 'starting'
  readonly started: Promise<void>
  readonly exit: Promise<void>
  readonly #worker: Worker
  readonly #owner: ThreadOwner
  readonly #silentMsMax: number
  readonly #pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  #question: Question | null = null
  #lastPulse = -1
  #lastPulseMs = performance.now()
  #because = 'it has exited'
  #onStarted: () => void = () => undefined

  constructor(
    start: Omit<WorkerStart, 'slab' | 'pulse'>,
    owner: ThreadOwner,
    bounds: ThreadBounds = {},
  ) {
    this.#silentMsMax = bounds.silentMsMax ?? SILENT_MS_MAX
    this.id = start.worker
    this.column = start.column
    this.#owner = owner
    const workerData: WorkerStart = { ...start, slab: this.slab, pulse: this.#pulse }
    this.#worker = new Worker(bounds.script ?? new URL('./worker.ts', import.meta.url), {
      workerData,
      name: `worker ${start.worker}`,
      resourceLimits: { maxOldGenerationSizeMb: bounds.heapMbMax ?? HEAP_MB_MAX },
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.started = promise
    this.#onStarted = resolve
    this.started.catch(() => undefined)
    this.exit = this.#watch(reject)
  }

  #watch(failed: (error: Error) => void): Promise<void> {
    const worker = this.#worker
    const { promise, resolve } = Promise.withResolvers<void>()
    worker.on('message', (message: FromWorker) => this.#said(message))
    worker.on('error', (error) => {
      this.#because = error instanceof Error ? (error.stack ?? error.message) : String(error)
    })
    worker.on('exit', () => {
      this.state = 'gone'
      this.#answer(null, { kind: 'failed', because: `a worker ended: ${this.#because}` })
      failed(new Error(this.#because))
      resolve()
      this.#owner.exited(this, this.#because)
    })
    return promise
  }

  #said(message: FromWorker): void {
    switch (message.type) {
      case 'started':
        if (this.state === 'starting') this.state = 'idle'
        return this.#onStarted()
      case 'prepared':
        return this.#answer(message.turn, { kind: 'prepared', rejections: message.rejections })
      case 'committed':
        this.state = 'serving'
        return this.#answer(message.turn, { kind: 'prepared', rejections: [] })
      case 'unprepared':
      case 'uncommitted':
        return this.#answer(message.turn, { kind: 'failed', because: message.because })
      default:
        return this.#owner.said(this, message)
    }
  }

  /** `turn` null: whatever was asked, no answer will come. */
  #answer(turn: number | null, prepared: Prepared): void {
    const question = this.#question
    if (question === null || (turn !== null && question.turn !== turn)) return
    this.#question = null
    question.answer(prepared)
  }

  /** Prepare a change, or put it in force: the answer, or that the worker has gone. */
  ask(message: Extract<ToWorker, { readonly turn: number }>): Promise<Prepared> {
    if (this.state === 'gone') {
      return Promise.resolve({ kind: 'failed', because: `a worker ended: ${this.#because}` })
    }
    const { promise, resolve } = Promise.withResolvers<Prepared>()
    this.#question = { turn: message.turn, answer: resolve }
    this.tell(message)
    return promise
  }

  tell(message: ToWorker): void {
    if (this.state !== 'gone') this.#worker.postMessage(message)
  }

  /** Characters of its log that were taken: it may send so many more. */
  logTaken(characters: number): void {
    const cells = new Float64Array(this.slab)
    cells[CELLS.logTaken] = (cells[CELLS.logTaken] ?? 0) + characters
  }

  /** Called every so often: how long it has been silent beyond what is allowed. */
  pulse(nowMs: number): 'alive' | 'silent' {
    const count = Atomics.load(new Int32Array(this.#pulse), 0)
    if (count !== this.#lastPulse) {
      this.#lastPulse = count
      this.#lastPulseMs = nowMs
      return 'alive'
    }
    const isBusy = this.#question !== null || this.state === 'starting'
    const limit = isBusy ? SILENT_WHILE_PREPARING_MS_MAX : this.#silentMsMax
    return nowMs - this.#lastPulseMs > limit ? 'silent' : 'alive'
  }

  async terminate(because: string): Promise<void> {
    this.#because = because
    await this.#worker.terminate()
  }
}
