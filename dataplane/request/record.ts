/**
 * The fact of one exchange: what the access log, the metrics and later the ledger need of it, and
 * nothing that a line of text or a label could not hold. Made by phases/record, exactly once.
 *
 * The query is not in it: it may hold credentials, also of requests that no policy has looked at.
 */
import type { Facts } from './failure.ts'

export interface ExchangeRecord {
  readonly id: string
  readonly startedAtMs: number
  /** From the first byte of the request to the record, which comes just before the last byte. */
  readonly durationMs: number
  /** From the first byte of the request to the upstream's head; null: there was none. */
  readonly upstreamMs: number | null
  readonly protocol: '1.0' | '1.1' | '2'
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly path: string
  readonly ip: string
  readonly peer: string
  readonly userAgent: string | null
  /** `namespace/name` of the ApiRoute, and `namespace/route/rule`; null where none matched. */
  readonly route: string | null
  readonly rule: string | null
  /** Name of the policy's entry that verified the caller. */
  readonly authMethod: string | null
  /** `namespace/name`. */
  readonly consumer: string | null
  /** Of the head that was sent; 499 where the client left before it. */
  readonly status: number
  /** Who made the answer. What the gateway itself has said is never billed. */
  readonly by: 'upstream' | 'gateway'
  /** Null: it went well. The gateway's own word, never one that a policy has chosen. */
  readonly cause: string | null
  readonly fault: Facts['fault'] | null
  /** The word of x-fairlead-cause where a policy has chosen one; else as `cause`. */
  readonly word: string | null
  readonly backend: string | null
  readonly bytesIn: number
  readonly bytesOut: number
  /** The whole answer reached the client's connection. */
  readonly complete: boolean
  readonly partial: boolean
  /** Names of limits in observe mode that would have refused it. */
  readonly observed: readonly string[]
}

/** Must not throw, wait or keep the record's exchange alive. */
export interface RecordSink {
  record(record: ExchangeRecord): void
}
