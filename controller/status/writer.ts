/**
 * Writes statuses into the cluster: by the leader only, with the resourceVersion that the verdict was
 * computed from, only where something differs, at a bounded pace, newest and failures first. It never
 * delays a push: it has connections of its own and is told after it.
 * Pinned by test/cluster/status.test.ts: "a settled cluster is not written to".
 */
import { createHash } from 'node:crypto'
import type { Verdict } from '../compile/compiled.ts'
import { resourceId } from '../compile/snapshot.ts'
import { type KubeClient, KubeFailure, successOf } from '../kube/client.ts'
import type { Logger } from '../log.ts'
import { contentOf, isPassing, type ObjectStatus } from './conditions.ts'
import { type EventContext, turns, writeEvent } from './events.ts'
import { createPace, type Pace } from './pace.ts'

export interface WriterOptions {
  readonly client: KubeClient
  readonly log: Logger
  readonly events: EventContext
  /** API path of a kind's collection in a namespace. */
  readonly pathOf: (kind: string, namespace: string) => string
  readonly apiVersion: string
  readonly standing: () => 'leads' | 'follows'
  /** Computed at the last moment; null: the object is gone, or has a newer verdict on its way. */
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

const AT_ONCE_MAX = 16
/** Computing one takes some ten microseconds: a restart with 10,000 must not hold up the loop. */
const LOOKS_PER_TURN_MAX = 200
/** Reconciling is normal for a moment: it is written only when it lasts. */
export const RECONCILING_AFTER_MS = 2_000
const TURN_MS = 50
const AGAIN_MS_MIN = 200
const AGAIN_MS_MAX = 60_000
/** Somebody else writes our statuses: we say what is true, and do not fight. */
const REPEAT_AFTER_MS = 60_000

export function createStatusWriter(options: WriterOptions): StatusWriter {
  return new Writer(options)
}

/** What became of the last attempt to write an object's status. */
interface Attempt {
  readonly verdict: Verdict
  /** Digest of what was said. */
  readonly said: string
  readonly failures: number
  readonly atMs: number
}

class Writer implements StatusWriter {
  readonly #options: WriterOptions
  /** id → since when it is due; the last ones were touched last. */
  readonly #due = new Map<string, number>()
  readonly #notBefore = new Map<string, number>()
  readonly #attempts = new Map<string, Attempt>()
  readonly #busy = new Set<string>()
  readonly #pace: Pace
  readonly #timer: NodeJS.Timeout
  #standing: 'leads' | 'follows' = 'follows'
  #idle: (() => void)[] = []

  constructor(options: WriterOptions) {
    this.#options = options
    this.#pace = createPace(options.now)
    this.#timer = setInterval(() => this.#turn(), TURN_MS)
    this.#timer.unref()
  }

  touch(ids: Iterable<string>): void {
    const now = this.#options.now()
    for (const id of ids) {
      const since = this.#due.get(id) ?? now
      this.#due.delete(id)
      this.#due.set(id, since)
      this.#notBefore.delete(id)
    }
  }

  idle(): Promise<void> {
    if (this.#due.size + this.#busy.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #turn(): void {
    const before = this.#standing
    this.#standing = this.#options.standing()
    if (this.#standing === 'leads' && before === 'follows') this.#begin()
    if (this.#standing === 'leads' && this.#due.size > 0) this.#start()
    if (this.#due.size + this.#busy.size > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Whatever was due while another led has only now begun to wait. */
  #begin(): void {
    const now = this.#options.now()
    for (const id of this.#due.keys()) this.#due.set(id, now)
    this.#notBefore.clear()
    this.#attempts.clear()
  }

  /** The newest first: what a person has just applied is what they are looking at. */
  #start(): void {
    const now = this.#options.now()
    const waiting = [...this.#due.keys()].toReversed()
    const few = waiting.length <= LOOKS_PER_TURN_MAX
    const failing = few ? waiting.filter((id) => this.#isFailing(id)) : []
    let looks = 0
    for (const id of new Set([...failing, ...waiting])) {
      if (this.#busy.size >= AT_ONCE_MAX || looks >= LOOKS_PER_TURN_MAX) return
      if (this.#busy.has(id) || (this.#notBefore.get(id) ?? 0) > now) continue
      looks += 1
      if (this.#consider(id, now) === 'wait') return
    }
  }

  #isFailing(id: string): boolean {
    return this.#options.statusOf(id)?.verdict.accepted.status === 'False'
  }

  #consider(id: string, now: number): 'wait' | 'next' {
    const due = this.#options.statusOf(id)
    const content = due === null ? '' : contentOf(due.status)
    if (due === null || contentOf(due.before) === content) {
      if (due === null) this.#attempts.delete(id)
      this.#settle(id)
      return 'next'
    }
    const since = this.#due.get(id) ?? now
    const notBefore = Math.max(
      isPassing(due.status) ? since + RECONCILING_AFTER_MS : now,
      this.#earliest(id, due, content),
    )
    if (notBefore > now) {
      this.#notBefore.set(id, notBefore)
      return 'next'
    }
    if (this.#pace.take() === 'wait') return 'wait'
    this.#busy.add(id)
    this.#due.delete(id)
    void this.#write(id, due, content).finally(() => this.#busy.delete(id))
    return 'next'
  }

  /** A failure is waited out, longer each time, unless the object has changed since. */
  #earliest(id: string, due: Due, content: string): number {
    const last = this.#attempts.get(id)
    if (last === undefined || last.verdict !== due.verdict) return 0
    if (last.failures > 0) {
      return last.atMs + Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** Math.min(last.failures - 1, 16))
    }
    return last.said === digest(content) ? last.atMs + REPEAT_AFTER_MS : 0
  }

  #settle(id: string): void {
    this.#due.delete(id)
    this.#notBefore.delete(id)
  }

  async #write(id: string, due: Due, content: string): Promise<void> {
    const { verdict, status } = due
    const said = digest(content)
    const { client, apiVersion, pathOf, now } = this.#options
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
    } catch (error) {
      this.#failed(id, { verdict, said }, error)
      return
    }
    this.#attempts.set(id, { verdict, said, failures: 0, atMs: now() })
    await this.#tell(due)
  }

  /** 404: gone. 409: the object has moved on, and what moved it is on its way to us. */
  #failed(id: string, what: Pick<Attempt, 'verdict' | 'said'>, error: unknown): void {
    const status = error instanceof KubeFailure ? error.status : 0
    if (status === 404) {
      this.#attempts.delete(id)
      return
    }
    const last = this.#attempts.get(id)
    const failures = last?.verdict === what.verdict ? last.failures + 1 : 1
    this.#attempts.set(id, { ...what, failures, atMs: this.#options.now() })
    this.touch([id])
    if (status !== 409 && (failures & (failures - 1)) === 0) {
      this.#options.log.warn({ object: id, failures }, `status not written: ${String(error)}`)
    }
  }

  async #tell(due: Due): Promise<void> {
    for (const turn of turns(due.before, due.status)) {
      this.#pace.spend()
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

function digest(content: string): string {
  return createHash('sha256').update(content).digest('base64url')
}
