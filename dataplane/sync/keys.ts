/**
 * Keeps the key sets fresh that the table names: on the main thread, in the background, so that no
 * request ever waits for an issuer, and an issuer that is away for an hour harms nobody. Workers
 * hear of every change.
 * Pinned by keys.test.ts: "an issuer that is away changes nothing until the grace is over".
 */
import type { Egress } from '../egress.ts'
import { FETCH_TIMEOUT_MS, fetchKeys } from './keys-fetch.ts'
import { KeyFiles } from './keys-disk.ts'
import { type KeySet, keySetId, type KeySource, type PublicJwk } from './keys-message.ts'
import type { Logger } from './port.ts'

export interface KeyTimings {
  /** Issuers announce a key for hours before they sign with it; five minutes is what others use. */
  readonly refreshMs: number
  /** After failures: doubled from the first to the second, each time cut at random. */
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  /** Tokens with invented key names must not turn into requests to the issuer. */
  readonly askEveryMs: number
  /**
   * How long keys are believed while their issuer cannot be asked. A day of outage is survived; a
   * key that was withdrawn because it had leaked is honoured no longer than that, even by a data
   * plane that somebody keeps from asking.
   */
  readonly graceMs: number
  readonly timeoutMs: number
}

export const KEY_TIMINGS: KeyTimings = {
  refreshMs: 5 * 60_000,
  backoffMinMs: 1_000,
  backoffMaxMs: 5 * 60_000,
  askEveryMs: 30_000,
  graceMs: 24 * 3_600_000,
  timeoutMs: FETCH_TIMEOUT_MS,
}

/** Sockets and memory of one process; a table with more issuers than this is a mistake. */
export const KEY_SETS_MAX = 1_000
const FETCHES_MAX = 8
/** Refreshes of many data planes that started together drift apart. */
const JITTER = 0.1

export interface KeyKeeperOptions {
  readonly egress: Egress
  /** A folder of its own in the state folder; null: nothing is kept. */
  readonly folder: string | null
  /** Goes to every worker. */
  readonly publish: (sets: readonly KeySet[]) => void
  readonly log: Logger
  readonly timings?: KeyTimings
  /** From 0 to below 1. */
  readonly random?: () => number
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number
}

interface Kept {
  readonly id: string
  readonly source: KeySource
  /** Aborts nothing: what comes back for a source that nobody names any more is dropped. */
  state: 'idle' | 'fetching' | 'gone'
  generation: number
  keys: readonly PublicJwk[] | null
  fetchedAtMs: number
  /** When it was last tried, by the clock of the process. */
  triedAtMs: number
  failures: number
  timer: NodeJS.Timeout | null
  dueAtMs: number
}

export class KeyKeeper {
  readonly #options: KeyKeeperOptions
  readonly #timings: KeyTimings
  readonly #files: KeyFiles | null
  readonly #kept = new Map<string, Kept>()
  /** Those that wait for one of the fetches that run to end. */
  readonly #queue: Kept[] = []
  #fetching = 0
  #allowed: readonly string[] = []

  constructor(options: KeyKeeperOptions) {
    this.#options = options
    this.#timings = options.timings ?? KEY_TIMINGS
    this.#files = options.folder === null ? null : new KeyFiles(options.folder)
  }

  /**
   * The sources of the table in force (`keySourcesOf`), and its `gateway.egressAllow`. Resolves once
   * what the disk knows of new ones has been published: then a data plane that starts may serve.
   */
  async want(sources: readonly KeySource[], allow: readonly string[]): Promise<void> {
    this.#allow(allow)
    const wanted = new Map(sources.slice(0, KEY_SETS_MAX).map((one) => [keySetId(one), one]))
    if (sources.length > KEY_SETS_MAX) {
      const facts = { keySets: sources.length, most: KEY_SETS_MAX }
      this.#options.log.error(facts, 'the table names too many issuers: some have no keys')
    }
    for (const kept of this.#kept.values()) if (!wanted.has(kept.id)) this.#drop(kept)
    const added = [...wanted].flatMap(([id, source]) => this.#add(id, source) ?? [])
    await Promise.all(added.map((kept) => this.#restore(kept)))
    this.#publish(added.filter(({ keys }) => keys !== null))
    for (const kept of added) this.#schedule(kept, this.#firstWaitMs(kept))
  }

  /** A worker met a key name that the set does not have. */
  unknownKey(id: string): void {
    const kept = this.#kept.get(id)
    if (kept === undefined || kept.state !== 'idle') return
    const waitMs = Math.max(0, kept.triedAtMs + this.#timings.askEveryMs - performance.now())
    if (performance.now() + waitMs < kept.dueAtMs) this.#schedule(kept, waitMs)
  }

  /** All of them, for a worker that starts. */
  sets(): readonly KeySet[] {
    return [...this.#kept.values()].map(setOf)
  }

  close(): void {
    for (const kept of this.#kept.values()) this.#end(kept)
    this.#kept.clear()
  }

  /** What could not be reached may be reachable now: nobody waits for a backoff to see it. */
  #allow(allow: readonly string[]): void {
    if (JSON.stringify(allow) === JSON.stringify(this.#allowed)) return
    this.#allowed = allow
    this.#options.egress.allow(allow)
    for (const kept of this.#kept.values()) if (kept.failures > 0) this.#schedule(kept, 0)
  }

  #add(id: string, source: KeySource): Kept | null {
    if (this.#kept.has(id)) return null
    const kept: Kept = {
      id,
      source,
      state: 'idle',
      generation: 0,
      keys: null,
      fetchedAtMs: 0,
      triedAtMs: -Infinity,
      failures: 0,
      timer: null,
      dueAtMs: Infinity,
    }
    this.#kept.set(id, kept)
    return kept
  }

  #drop(kept: Kept): void {
    this.#end(kept)
    this.#kept.delete(kept.id)
    this.#files?.remove(kept.id).catch((error: unknown) => this.#diskFailed(error))
  }

  #end(kept: Kept): void {
    kept.state = 'gone'
    if (kept.timer !== null) clearTimeout(kept.timer)
  }

  async #restore(kept: Kept): Promise<void> {
    try {
      const stored = (await this.#files?.read(kept.id)) ?? null
      if (stored === null || this.#isTooOld(stored.fetchedAtMs)) return
      this.#take(kept, stored.keys, Math.min(stored.fetchedAtMs, this.#nowMs()))
    } catch (error) {
      this.#diskFailed(error)
    }
  }

  /** Fresh keys from the disk wait for their turn; the others are fetched at once. */
  #firstWaitMs({ keys, fetchedAtMs }: Kept): number {
    if (keys === null) return 0
    return Math.max(0, fetchedAtMs + this.#timings.refreshMs - this.#nowMs())
  }

  #schedule(kept: Kept, waitMs: number): void {
    if (kept.state === 'gone') return
    if (kept.timer !== null) clearTimeout(kept.timer)
    kept.dueAtMs = performance.now() + waitMs
    kept.timer = setTimeout(() => this.#start(kept), waitMs)
    kept.timer.unref()
  }

  #start(kept: Kept): void {
    if (kept.state !== 'idle') return
    if (this.#fetching >= FETCHES_MAX) {
      if (!this.#queue.includes(kept)) this.#queue.push(kept)
      return
    }
    this.#fetching++
    kept.state = 'fetching'
    kept.triedAtMs = performance.now()
    this.#fetch(kept).then(
      () => this.#ended(),
      (error: unknown) => {
        this.#options.log.error({ keySet: kept.id, bug: String(error) }, 'fetching keys met a bug')
        this.#ended()
      },
    )
  }

  #ended(): void {
    this.#fetching--
    const next = this.#queue.shift()
    if (next !== undefined) this.#start(next)
  }

  async #fetch(kept: Kept): Promise<void> {
    const { egress } = this.#options
    const fetched = await fetchKeys(kept.source, egress, this.#timings.timeoutMs)
    if (isGone(kept)) return
    kept.state = 'idle'
    if (fetched.kind === 'failed') this.#failed(kept, fetched.because)
    else await this.#fetched(kept, fetched.keys)
  }

  async #fetched(kept: Kept, keys: readonly PublicJwk[]): Promise<void> {
    if (kept.failures > 0) this.#options.log.info({ keySet: kept.id }, 'an issuer is back')
    kept.failures = 0
    const before = kept.generation
    this.#take(kept, keys, this.#nowMs())
    if (kept.generation !== before) this.#publish([kept])
    this.#schedule(kept, this.#timings.refreshMs * (1 + JITTER * (2 * this.#random() - 1)))
    try {
      await this.#files?.write(kept.id, { keys, fetchedAtMs: kept.fetchedAtMs })
    } catch (error) {
      this.#diskFailed(error)
    }
  }

  #failed(kept: Kept, because: string): void {
    kept.failures++
    this.#options.log.warn({ keySet: kept.id, because }, 'the keys of an issuer cannot be fetched')
    if (kept.keys !== null && this.#isTooOld(kept.fetchedAtMs)) {
      this.#options.log.error({ keySet: kept.id }, 'its last keys are too old: they count no more')
      kept.keys = null
      kept.generation++
      this.#publish([kept])
    }
    const { backoffMinMs, backoffMaxMs } = this.#timings
    const most = Math.min(backoffMaxMs, backoffMinMs * 2 ** (kept.failures - 1))
    this.#schedule(kept, most * (0.5 + this.#random() / 2))
  }

  #take(kept: Kept, keys: readonly PublicJwk[], fetchedAtMs: number): void {
    kept.fetchedAtMs = fetchedAtMs
    if (JSON.stringify(keys) === JSON.stringify(kept.keys)) return
    kept.keys = keys
    kept.generation++
  }

  #isTooOld(fetchedAtMs: number): boolean {
    return this.#nowMs() - fetchedAtMs > this.#timings.graceMs
  }

  #publish(changed: readonly Kept[]): void {
    if (changed.length > 0) this.#options.publish(changed.map(setOf))
  }

  #diskFailed(error: unknown): void {
    const because = error instanceof Error ? error.message : 'unknown'
    this.#options.log.warn({ because }, 'key sets cannot be kept on disk')
  }

  #nowMs(): number {
    return this.#options.nowMs?.() ?? Date.now()
  }

  #random(): number {
    return this.#options.random?.() ?? Math.random()
  }
}

function setOf({ id, generation, keys }: Kept): KeySet {
  return { id, generation, keys }
}

/** Asked after a wait, in which it may have become so. */
function isGone({ state }: Kept): boolean {
  return state === 'gone'
}
