/**
 * One endpoint's connections, as whoever balances sees them: a lane takes one try of one request and
 * tells what became of it. Which endpoint, and whether to try again, is decided above; which client
 * carries it (undici, or our own for plain HTTP/1.1) below.
 * Proved by lane.test.ts.
 */
import type { Failure } from '../request/failure.ts'
import type { UpstreamHead, UpstreamRequest } from './upstream.ts'

export interface Lane {
  /** Whether it ends attempts as their delivery's timeouts say; otherwise whoever balances does. */
  readonly times: 'kept' | 'unkept'
  /** No event is called before it has returned. */
  dispatch(request: UpstreamRequest, events: AttemptEvents): Attempt
  /** No new request comes; idle connections close, those that carry something finish it. */
  drain(): void
  /** Ends every connection at once: what still runs fails. */
  destroy(): Promise<void>
}

/** One try of one request. */
export interface Attempt {
  /** Whether its connection had carried others before it; `fresh` while there is none. */
  readonly turn: 'fresh' | 'reused'
  /** Of the request's stream: once any of it was asked for, it cannot be sent again. */
  readonly body: 'unread' | 'consumed'
  /** Nobody wants it any more: the connection is given up, nothing but `over` is said. */
  abort(): void
}

export interface AttemptEvents {
  /** A connection has taken it: said once, where times are unkept. */
  sent(attempt: Attempt): void
  /** 103 and the like, before `answered`; a few of them at most. */
  interim(attempt: Attempt, status: number, headers: readonly string[]): void
  /** Either this or `failed`, once, unless it was aborted. */
  answered(attempt: Attempt, head: UpstreamHead): void
  failed(attempt: Attempt, failure: Failure): void
  /**
   * Exactly once for each attempt, whatever happened: it takes nothing of the endpoint any more.
   * Before `failed`; after `answered`, once the stream has ended, broken off or been aborted. It
   * may come within `abort`.
   */
  over(attempt: Attempt, end: AttemptEnd): void
}

/** broken: before or within its answer. aborted: by whoever had asked for it. */
export type AttemptEnd = 'complete' | 'broken' | 'aborted'
