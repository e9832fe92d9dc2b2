/**
 * Writes statuses into the cluster: by the leader only, with the resourceVersion that the verdict was
 * computed from, only where something differs, at a bounded pace, newest and failures first. It never
 * delays a push: it has connections of its own and is told after it.
 * Pinned by test/cluster/status.test.ts: "a settled cluster is not written to".
 */
import type { Verdict } from '../compile/compiled.ts'
import { resourceId } from '../compile/snapshot.ts'
import { type KubeClient, KubeFailure, successOf } from '../kube/client.ts'
import type { Logger } from '../log.ts'
import { type ObjectStatus, sameStatus } from './conditions.ts'
import { type EventContext, turns, writeEvent } from './events.ts'

export interface WriterOptions {
  readonly client: KubeClient
  readonly log: Logger
  readonly events: EventContext
  /** API path of a kind's collection in a namespace. */
  readonly pathOf: (kind: string, namespace: string) => string
  readonly apiVersion: string
  readonly standing: () => 'leads' | 'follows'
  /** What is to be written, computed at the last moment; null: the object is gone. */
  readonly statusOf: (id: string) => Due | null
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export interface Due {
  readonly verdict: Verdict
  readonly status: ObjectStatus
  readonly before: unknown
  /** Newest known of the same content. */
  readonly resourceVersion: string
}

export interface StatusWriter {
  /** These objects may have a new status. */
  touch(ids: Iterable<string>): void
  /** Resolves when nothing is due and nothing is on its way. */
  idle(): Promise<void>
  close(): void
}

/** The API server takes 210–300 of them a second; two thirds are left to everyone else. */
const WRITES_PER_S = 100
const AT_ONCE_MAX = 16
/** Reconciling is normal for a moment: it is written only when it lasts. */
export const RECONCILING_AFTER_MS = 2_000
const TICK_MS = 50
const AGAIN_AFTER_MS = 1_000

export function createStatusWriter(options: WriterOptions): StatusWriter {
  return new Writer(options)
}

class Writer implements StatusWriter {
  readonly #options: WriterOptions
  /** id → since when it is due. */
  readonly #due = new Map<string, number>()
  readonly #notBefore = new Map<string, number>()
  readonly #busy = new Set<string>()
  readonly #tick: NodeJS.Timeout
  #allowance = AT_ONCE_MAX
  #idle: (() => void)[] = []

  constructor(options: WriterOptions) {
    this.#options = options
    this.#tick = setInterval(() => this.#turn(), TICK_MS)
    this.#tick.unref()
  }

  touch(ids: Iterable<string>): void {
    const now = this.#options.now()
    for (const id of ids) {
      if (!this.#due.has(id)) this.#due.set(id, now)
      this.#notBefore.delete(id)
    }
  }

  idle(): Promise<void> {
    if (this.#due.size + this.#busy.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  close(): void {
    clearInterval(this.#tick)
  }

  #turn(): void {
    this.#allowance = Math.min(AT_ONCE_MAX, this.#allowance + (WRITES_PER_S * TICK_MS) / 1000)
    if (this.#options.standing() === 'leads') this.#start()
    if (this.#due.size + this.#busy.size > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** The newest first: what a person has just applied is what they are looking at. */
  #start(): void {
    const now = this.#options.now()
    const waiting = [...this.#due.keys()].toReversed()
    const failuresFirst = [...waiting.filter((id) => this.#failing(id)), ...waiting]
    for (const id of new Set(failuresFirst)) {
      if (this.#allowance < 1 || this.#busy.size >= AT_ONCE_MAX) return
      if (this.#busy.has(id) || (this.#notBefore.get(id) ?? 0) > now) continue
      this.#consider(id, now)
    }
  }

  #failing(id: string): boolean {
    return this.#due.size <= AT_ONCE_MAX * 8
      ? this.#options.statusOf(id)?.verdict.accepted.status === 'False'
      : false
  }

  #consider(id: string, now: number): void {
    const due = this.#options.statusOf(id)
    if (due === null || sameStatus(due.before, due.status) === 'same') {
      this.#settle(id)
      return
    }
    const since = this.#due.get(id) ?? now
    if (isOnlyReconciling(due.status) && now - since < RECONCILING_AFTER_MS) {
      this.#notBefore.set(id, since + RECONCILING_AFTER_MS)
      return
    }
    this.#allowance -= 1
    this.#busy.add(id)
    this.#due.delete(id)
    void this.#write(id, due).finally(() => this.#busy.delete(id))
  }

  #settle(id: string): void {
    this.#due.delete(id)
    this.#notBefore.delete(id)
  }

  async #write(id: string, due: Due): Promise<void> {
    const { verdict, status } = due
    const { client, apiVersion, pathOf } = this.#options
    const { kind, namespace, name, uid } = verdict
    const path = `${pathOf(kind, namespace)}/${name}/status`
    const metadata = { namespace, name, uid, resourceVersion: due.resourceVersion }
    try {
      const answer = await client.request({
        method: 'PATCH',
        path,
        query: { fieldManager: 'fairlead', force: 'true' },
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion, kind, metadata, status },
      })
      successOf(answer)
      this.#notBefore.delete(id)
      await this.#tell(due)
    } catch (error) {
      this.#failed(id, error)
    }
  }

  /** 404: gone. 409: the object has moved on, and its next verdict is on its way. */
  #failed(id: string, error: unknown): void {
    const status = error instanceof KubeFailure ? error.status : 0
    if (status === 404) return
    this.touch([id])
    this.#notBefore.set(id, this.#options.now() + AGAIN_AFTER_MS)
    if (status !== 409)
      this.#options.log.warn({ object: id }, `status not written: ${String(error)}`)
  }

  async #tell(due: Due): Promise<void> {
    for (const turn of turns(due.before, due.status)) {
      try {
        await writeEvent(this.#options.events, due.verdict, turn)
      } catch (error) {
        const { kind, namespace, name } = due.verdict
        const object = resourceId(kind, namespace, name)
        this.#options.log.warn({ object }, `event not written: ${String(error)}`)
      }
    }
  }
}

function isOnlyReconciling(status: ObjectStatus): boolean {
  const programmed = status.conditions.find((condition) => condition.type === 'Programmed')
  const accepted = status.conditions.find((condition) => condition.type === 'Accepted')
  return programmed?.reason === 'Reconciling' && accepted?.status === 'True'
}
