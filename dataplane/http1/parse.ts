/**
 * The parser of both sides: bytes in any pieces become messages, or one of a closed set of failures.
 * A line is judged when it is complete, and one that is too long by its length alone, so that the
 * pieces never change what is found. message.ts says how it is used.
 * Pinned by parse.test.ts: "agrees with its plain twin on any bytes in any pieces".
 */
import { CR, HEX, LF, UNREAD } from './bytes.ts'
import type { ParseFailure } from './failure.ts'
import { FieldLines } from './field-lines.ts'
import { FirstLine } from './first-line.ts'
import { connectionOf, contentOf, framingOf } from './framing.ts'
import { HeldLine } from './held-line.ts'
import { chunkSizeOf, whyNoField, whyNoRequestLine, whyNoStatusLine } from './judge.ts'
import {
  CHUNK_DIGITS_MAX,
  CHUNK_LINE_BYTES_MAX,
  EMPTY_LINES_MAX,
  FIRST_LINE_BYTES_MAX,
  INTERIM_MAX,
} from './limits.ts'
import type { Closed, Head, MessageReader, ParserState } from './message.ts'

/** What comes next. */
type Step =
  | 'first-line'
  | 'field-line'
  | 'chunk-line'
  | 'chunk-data'
  | 'chunk-cr'
  | 'chunk-lf'
  | 'trailer-line'
  | 'length-data'
  | 'close-data'

export class Parser {
  failure: ParseFailure | null = null
  /** Within the reader's `head`: where in the piece that is being read the head ends. */
  headEnd = 0
  /** What is known of a message that has failed. */
  readonly first = new FirstLine()
  readonly #role: 'request' | 'response'
  readonly #reader: MessageReader
  #state: ParserState
  #step: Step = 'first-line'
  readonly #fields = new FieldLines()
  readonly #held = new HeldLine()
  /** Of the chunk, or of the body. */
  #left = 0
  #pace: 'more' | 'pause' = 'more'
  #emptyLines = 0
  #interims = 0
  /** Of the request that the answer is for. */
  #method = ''
  #upgrade: Head['upgrade'] = 'none'

  constructor(role: 'request' | 'response', reader: MessageReader) {
    this.#role = role
    this.#reader = reader
    this.#state = role === 'request' ? 'idle' : 'ended'
  }

  get state(): ParserState {
    return this.#state
  }

  /** The next message is a request. After `ended`. */
  nextRequest(): void {
    this.#next()
  }

  /** The next message is the answer to one of this method. Before the first and after `ended`. */
  nextAnswer(method: string, upgrade: Head['upgrade']): void {
    this.#method = method
    this.#upgrade = upgrade
    this.#interims = 0
    this.#next()
  }

  #next(): void {
    this.#state = 'idle'
    this.#step = 'first-line'
    this.#emptyLines = 0
    this.first.clear()
    this.#fields.clear()
  }

  /** Nothing more is read, also if it was called by the reader. */
  stop(): void {
    this.#state = 'stopped'
    this.#held.clear()
  }

  /** From `from` on; returns where it stopped (message.ts says when and why). */
  read(bytes: Buffer, from: number): number {
    let at = from
    this.#pace = 'more'
    while (at < bytes.length && this.#reads()) at = this.#readStep(bytes, at)
    this.#fields.flush(bytes)
    return at
  }

  #reads(): boolean {
    const state = this.#state
    return this.#pace === 'more' && (state === 'body' || state === 'head' || state === 'idle')
  }

  /** Nothing more will come. */
  close(): Closed {
    if (this.#state === 'ended') return 'complete'
    if (this.#state === 'idle') return 'idle'
    if (this.#step !== 'close-data' || this.#state !== 'body') return 'truncated'
    this.#end(null)
    return 'complete'
  }

  #readStep(bytes: Buffer, at: number): number {
    switch (this.#step) {
      case 'length-data':
      case 'chunk-data':
      case 'close-data':
        return this.#readData(bytes, at)
      case 'chunk-cr':
        return this.#readByte(bytes, at, CR)
      case 'chunk-lf':
        return this.#readByte(bytes, at, LF)
      default:
        return this.#held.length > 0 ? this.#readHeld(bytes, at) : this.#readWhole(bytes, at)
    }
  }

  // ---- lines ---------------------------------------------------------------------------------

  #readWhole(bytes: Buffer, at: number): number {
    const next = this.#scan(bytes, at)
    if (next !== UNREAD) {
      this.headEnd = next
      this.#advance(bytes, next - at)
      return next
    }
    const end = bytes.indexOf(LF, at)
    if (end < 0) return this.#hold(bytes, at)
    this.#judge(bytes, at, end + 1)
    return end + 1
  }

  #readHeld(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at)
    const lineBytes = this.#held.length + end + 1 - at
    if (end < 0 || lineBytes > this.#lineBytesMax()) return this.#hold(bytes, at)
    this.#held.add(bytes, at, end + 1)
    const line = this.#held.take()
    this.headEnd = end + 1
    if (this.#scan(line, 0) === UNREAD) this.#judge(line, 0, lineBytes)
    else this.#advance(line, lineBytes)
    this.#fields.flush(line)
    return end + 1
  }

  #hold(bytes: Buffer, at: number): number {
    if (this.#state === 'idle' && bytes[at] !== CR) this.#state = 'head'
    const room = this.#lineBytesMax() - this.#held.length
    this.#held.add(bytes, at, Math.min(bytes.length, at + room + 1))
    if (bytes.length - at > room) this.#fail(this.#tooLong())
    return bytes.length
  }

  /** Of the line that comes, its end included. */
  #lineBytesMax(): number {
    if (this.#step === 'first-line') return FIRST_LINE_BYTES_MAX
    return this.#step === 'chunk-line' ? CHUNK_LINE_BYTES_MAX : this.#fields.bytesLeft
  }

  #tooLong(): ParseFailure {
    if (this.#step === 'chunk-line') return 'chunk-line-too-long'
    if (this.#step !== 'first-line') return 'fields-too-large'
    return this.#role === 'request' ? 'target-too-long' : 'bad-line'
  }

  /** Where the line is there and as it must be: where the next one begins. */
  #scan(bytes: Buffer, at: number): number {
    if (this.#step === 'chunk-line') return this.#scanChunkLine(bytes, at)
    if (this.#step !== 'first-line') return this.#fields.read(bytes, at)
    if (this.#role === 'response') return this.first.readStatus(bytes, at)
    return bytes[at] === CR ? this.#scanEmptyLine(bytes, at) : this.first.readRequest(bytes, at)
  }

  /** RFC 9112 section 2.2: one before a request is to be ignored. */
  #scanEmptyLine(bytes: Buffer, at: number): number {
    if (bytes[at + 1] !== LF || this.#emptyLines === EMPTY_LINES_MAX) return UNREAD
    this.#emptyLines++
    return at + 2
  }

  /** RFC 9112 section 7.1: a size without extensions, as almost everybody sends it. */
  #scanChunkLine(bytes: Buffer, from: number): number {
    let size = 0
    let at = from
    for (; at < from + CHUNK_DIGITS_MAX; at++) {
      const digit = HEX[bytes[at] ?? 0] ?? 255
      if (digit === 255) break
      size = size * 16 + digit
    }
    if (at === from || bytes[at] !== CR || bytes[at + 1] !== LF) return UNREAD
    this.#left = size
    return at + 2
  }

  /** A whole line that could not be scanned. */
  #judge(bytes: Buffer, from: number, to: number): void {
    if (to - from > this.#lineBytesMax()) return this.#fail(this.#tooLong())
    const line = bytes.toString('latin1', from, to)
    if (this.#step === 'chunk-line') {
      const size = chunkSizeOf(line)
      if (typeof size === 'string') return this.#fail(size)
      this.#left = size
      return this.#advance(bytes, to - from)
    }
    if (this.#step !== 'first-line') return this.#fail(whyNoField(line))
    this.#fail(this.#role === 'request' ? whyNoRequestLine(line) : whyNoStatusLine(line))
  }

  /** What follows a line that was read. */
  #advance(bytes: Buffer, lineBytes: number): void {
    if (lineBytes > this.#lineBytesMax()) return this.#fail(this.#tooLong())
    switch (this.#step) {
      case 'first-line':
        if (this.#role === 'request' && this.first.method === '') return
        this.#state = 'head'
        this.#step = 'field-line'
        return
      case 'chunk-line':
        if (this.#left === 0) this.#fields.clear()
        this.#step = this.#left === 0 ? 'trailer-line' : 'chunk-data'
        return
      default:
        this.#advanceFields(bytes, lineBytes)
    }
  }

  #advanceFields(bytes: Buffer, lineBytes: number): void {
    const tooMuch = this.#fields.spend(lineBytes)
    if (tooMuch !== null) return this.#fail(tooMuch)
    if (this.#fields.over === 'no') return
    this.#fields.flush(bytes)
    if (this.#step === 'field-line') return this.#headIsHere()
    this.#end(this.#fields.list.length === 0 ? null : this.#fields.list)
  }

  #fail(failure: ParseFailure): void {
    this.#state = 'failed'
    this.failure = failure
    this.#held.clear()
  }

  // ---- the message ---------------------------------------------------------------------------

  #headIsHere(): void {
    const { status } = this.first
    if (this.#role === 'request') return this.#begin('some')
    if (status === 101 && this.#upgrade === 'none') return this.#fail('unexpected-switch')
    if (status === 101 || status >= 200) return this.#begin(contentOf(status, this.#method))
    if (++this.#interims > INTERIM_MAX) return this.#fail('too-many-interim')
    this.#reader.interim(this.#headOf('none', null))
    if (this.#state !== 'head') return
    this.#next()
  }

  #begin(content: 'some' | 'none'): void {
    const framing = framingOf(this.#fields, this.first.version, this.#role, content)
    if (typeof framing === 'string') return this.#fail(framing)
    const { body, bytesDeclared } = framing
    this.#state = 'body'
    this.#step = STEP_OF[body]
    this.#left = bytesDeclared ?? 0
    this.#reader.head(this.#headOf(body, bytesDeclared))
    if (body === 'none' && this.#state === 'body') this.#end(null)
  }

  #headOf(body: Head['body'], bytesDeclared: number | null): Head {
    const { method, target, status, version } = this.first
    const { persistence, upgrade } = connectionOf(this.#fields.connection, version, body)
    const fields = this.#fields.list
    return { method, target, status, version, fields, body, bytesDeclared, persistence, upgrade }
  }

  #end(trailers: readonly string[] | null): void {
    this.#state = 'ended'
    this.#reader.end(trailers)
  }

  // ---- bodies --------------------------------------------------------------------------------

  #readData(bytes: Buffer, at: number): number {
    const isEndless = this.#step === 'close-data'
    const to = isEndless ? bytes.length : Math.min(bytes.length, at + this.#left)
    this.#left -= to - at
    this.#pace = this.#reader.data(to - at === bytes.length ? bytes : bytes.subarray(at, to))
    if (isEndless || this.#left > 0 || this.#state !== 'body') return to
    if (this.#step === 'chunk-data') this.#step = 'chunk-cr'
    else this.#end(null)
    return to
  }

  #readByte(bytes: Buffer, at: number, expected: number): number {
    if (bytes[at] !== expected) this.#fail('bad-chunk')
    this.#step = expected === CR ? 'chunk-lf' : 'chunk-line'
    return at + 1
  }
}

/** 'none' has no step: its message ends with its head. */
const STEP_OF: Readonly<Record<Head['body'], Step>> = {
  none: 'first-line',
  length: 'length-data',
  chunked: 'chunk-line',
  close: 'close-data',
}
