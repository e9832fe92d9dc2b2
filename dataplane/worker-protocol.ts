/**
 * What the main thread and a worker say to each other. A table change is prepared by every worker
 * first and put in force afterwards, so that one that cannot prepare it leaves all on the old one.
 * Pinned by threads.test.ts: "a change that one worker cannot prepare is in force nowhere".
 */
import type { Rejection } from '#wire/session'
import type { LimitMemory } from './limits/shared.ts'
import type { Announcement } from './metrics-slab.ts'
import type { UpstreamMemory } from './upstream/counts.ts'
import type { PlacedSet } from './upstream/places.ts'
import type { KeySetsMessage, UnknownKeyMessage } from './sync/keys-message.ts'

/** Where TLS is spoken, and how. */
export interface HttpsListener {
  readonly host: string
  readonly port: number
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers: string | null
  /** 48 bytes, the same for all workers. */
  readonly ticketKeys: Uint8Array
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly worker: number
  /** Which column of shared gauges is its own: from 0 to below the number of workers. */
  readonly column: number
  readonly host: string
  readonly port: number
  readonly sharing: 'reusePort' | 'alone'
  /** Null: it speaks no TLS itself. */
  readonly https: HttpsListener | null
  readonly slab: SharedArrayBuffer
  /** One Int32, counted up by the worker: it is alive. */
  readonly pulse: SharedArrayBuffer
  readonly limits: LimitMemory
  /** A MemoryBoard. */
  readonly memory: SharedArrayBuffer
  readonly connectionsMax: number
  readonly upstream: UpstreamMemory
  readonly accessLog: 'on' | 'off'
}

/** closed: nobody is to be answered yet, the table may be older than what a controller offers. */
export type Door = 'open' | 'closed'

export type ToWorker =
  /** Parse and prepare; `change` is the UTF-8 JSON of a TableChange. */
  | { readonly type: 'prepare'; readonly turn: number; readonly change: SharedArrayBuffer }
  /** Put the prepared one in force; where the door is open and it does not listen yet, listen. */
  | { readonly type: 'commit'; readonly turn: number; readonly door: Door }
  /** Start to listen. Asked of those that have a table. */
  | { readonly type: 'open'; readonly turn: number }
  | { readonly type: 'discard'; readonly turn: number }
  | { readonly type: 'endpoints'; readonly sets: readonly PlacedSet[] }
  | KeySetsMessage
  /** For TLS sessions, from now on. */
  | { readonly type: 'ticketKeys'; readonly keys: Uint8Array }
  /** Finish what runs, within the grace, and exit. */
  | { readonly type: 'drain'; readonly graceMs: number; readonly why: 'shutdown' | 'replaced' }

export type FromWorker =
  /** Its code is loaded: it waits for a table. */
  | { readonly type: 'started' }
  | {
      readonly type: 'prepared'
      readonly turn: number
      readonly rejections: readonly Rejection[]
    }
  | { readonly type: 'unprepared'; readonly turn: number; readonly because: string }
  /** In force, and listening where the door is open. */
  | { readonly type: 'committed'; readonly turn: number }
  | { readonly type: 'uncommitted'; readonly turn: number; readonly because: string }
  | { readonly type: 'announce'; readonly announcement: Announcement }
  /** Whole lines of the access log. */
  | { readonly type: 'log'; readonly lines: Uint8Array<ArrayBuffer>; readonly count: number }
  /** For people: an exception that an exchange met, with its stack. Never sent to a client. */
  | { readonly type: 'bug'; readonly text: string }
  /** An exception that no exchange contained: this worker wants to be replaced. */
  | { readonly type: 'escaped'; readonly text: string }
  | UnknownKeyMessage

/** A worker counts its pulse up this often, */
export const PULSE_EVERY_MS = 500
/** and is given up after this long without. */
export const SILENT_MS_MAX = 5_000
