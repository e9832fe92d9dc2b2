/**
 * What the parser finds in the bytes of one connection, and whom it tells: the contract of both of
 * its users, the front (role `request`) and the upstream's lane (role `response`).
 *
 * A user makes one Parser per connection and gives it every piece as it comes:
 *
 *     used = parser.read(bytes, from)    // from there on; returns where it stopped
 *
 * It stops before the end of the piece in three cases, and what is left is the user's to keep:
 *   - `state` is `ended`: the message is complete. The rest belongs to the next one: call
 *     `next(…)` and read on (the front, once the answer is sent), or it is surplus (the lane: an
 *     answer that nobody has asked for, the connection is to be discarded).
 *   - `data` said `pause`: read on from there when there is room again. `end` may still come with
 *     the last piece although it said so.
 *   - `state` is `failed`: `failure` says why. Nothing can be read any more.
 * Calls of the reader come from within `read` and `close`. Where it throws, so does `read`.
 * Proved by parse.test.ts.
 */

export interface Head {
  /** Requests; '' in answers. Upper-case letters and `-`, as it came. */
  readonly method: string
  /** Requests; '' in answers. Printable ASCII without spaces, as it came. */
  readonly target: string
  /** Answers; 0 in requests. */
  readonly status: number
  readonly version: '1.0' | '1.1'
  /** Flat list: order, case and duplicates as they came, values without the space around them. */
  readonly fields: string[]
  /** What follows. `close`: an answer that ends with its connection. */
  readonly body: 'none' | 'length' | 'chunked' | 'close'
  /** The Content-Length, also where no body follows (HEAD, 304). Null: it has none. */
  readonly bytesDeclared: number | null
  /** Whether it says that the connection stays (RFC 9112 section 9.3). */
  readonly persistence: 'keep' | 'close'
  /** Whether `Connection` names `upgrade`; only then does an `Upgrade` field mean anything. */
  readonly upgrade: 'none' | 'offered'
}

export interface MessageReader {
  /** Once for each message, before anything else of it. */
  head(head: Head): void
  /** Answers only: any number up to a limit, before `head`. Status 100 to 199, never 101. */
  interim(head: Head): void
  /** A piece of the body, never empty; shares the memory of what was read. `pause`: stop here. */
  data(piece: Buffer): 'more' | 'pause'
  /** The message is complete. `trailers`: flat list as it came, null where there are none. */
  end(trailers: readonly string[] | null): void
}

/** idle: nothing of the next message has come. stopped: by its user. */
export type ParserState = 'idle' | 'head' | 'body' | 'ended' | 'failed' | 'stopped'

/** How a message stands when its connection ends. truncated: it is not complete. */
export type Closed = 'idle' | 'complete' | 'truncated'
