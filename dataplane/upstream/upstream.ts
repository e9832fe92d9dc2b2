/**
 * The outgoing side, push-style: one interface for proxying, aggregation, and later for our own
 * HTTP/1.1 lane. Only the files of this folder know which client stands behind it.
 */
import type { Backend } from '#wire/table'
import type { Failure } from '../request/failure.ts'
import type { AnswerStream } from '../request/outcome.ts'
import type { RequestBody } from '../request/exchange.ts'
import type { Tunnel } from '../request/tunnel.ts'
import type { PreparedDelivery } from './delivery.ts'
import type { PlacedSet } from './places.ts'

export interface UpstreamRequest {
  readonly backend: string
  readonly method: string
  /** Origin form: canonical path and raw query. */
  readonly target: string
  /** Goes out as Host. */
  readonly host: string
  /** Flat list without Host and without any hop-by-hop field. */
  readonly headers: readonly string[]
  /** Null: none. */
  readonly body: RequestBody | Buffer | null
  /** From now to the answer's head, milliseconds of hrtime at which it is over. */
  readonly deadlineMs: number
  /** Offer to switch to this protocol, or one of these; only without a body. Absent: none. */
  readonly upgrade?: string
  readonly delivery: PreparedDelivery
}

export interface UpstreamHead {
  readonly status: number
  /** Flat list as received, hop-by-hop fields removed. */
  readonly headers: readonly string[]
  readonly stream: AnswerStream
  /**
   * Only of 101, and only where `upgrade` was offered: `headers` then has the Upgrade field, and
   * instead of `stream`, which is empty, there is this.
   */
  readonly tunnel?: Tunnel
}

/** Exactly one of `head` and `failed` is called, exactly once, never before `send` has returned. */
export interface UpstreamListener {
  head(head: UpstreamHead): void
  failed(failure: Failure): void
  /** An interim answer (103) before it; a few of them at most. */
  interim?(status: number, headers: readonly string[]): void
}

export interface UpstreamCall {
  /** The client went away, or the deadline of the whole has passed. */
  abort(): void
}

export interface Upstream {
  send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall
  /** Which backends the table names; pools of others are closed once they are idle. */
  backends(backends: ReadonlyMap<string, Backend>): void
  endpoints(set: PlacedSet): void
}
