/**
 * What a phase says: go on, this is the answer, or this has failed. Never a boolean.
 */
import type { Failure } from './failure.ts'
import type { Tunnel } from './tunnel.ts'

export interface Continue {
  readonly kind: 'continue'
}
export const CONTINUE: Continue = { kind: 'continue' }

export interface Respond {
  readonly kind: 'respond'
  readonly status: number
  /** Flat list: name, value, name, value. Order, case and duplicates as they will be sent. */
  readonly headers: readonly string[]
  readonly body: AnswerBody | Switched
  /** Who made it: answers of the gateway itself are never billed. */
  readonly by: 'upstream' | 'gateway'
}

export type AnswerBody =
  | { readonly kind: 'empty' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Still arriving from the upstream. `respond` attaches a sink, exactly once. */
  | { readonly kind: 'stream'; readonly stream: AnswerStream }

/** The protocol was switched (101): what follows is no HTTP, and no body. */
export interface Switched {
  readonly kind: 'tunnel'
  readonly tunnel: Tunnel
}

/** Push-style: chunks go to the sink until `end` or `fail`. */
export interface AnswerStream {
  /** Declared content-length, or null. */
  readonly bytesDeclared: number | null
  start(sink: AnswerSink): void
  /** Called after a sink's `data` said `pause`, once it can take more. */
  resume(): void
  abort(): void
}

export interface AnswerSink {
  /** `pause`: no more until `resume`. */
  data(chunk: Buffer): 'more' | 'pause'
  /** Flat list of trailers, or null. */
  end(trailers: readonly string[] | null): void
  /** The rest will never come: the client must see an abort, not a complete message. */
  fail(failure: Failure): void
}

export type Outcome = Continue | Respond | Failure
/** What an exchange ends with. */
export type Decision = Respond | Failure
