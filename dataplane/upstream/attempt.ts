/**
 * One try of one request on one connection: the handler that undici calls, and the stream that
 * `respond` reads. What arrives before anybody has asked for it waits here, within a bound.
 * Pinned by undici.test.ts: "an answer that nobody reads pauses the upstream".
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { HEADERS_MAX } from '#wire/limits'
import type { Failure } from '../request/failure.ts'
import type { AnswerSink, AnswerStream } from '../request/outcome.ts'
import type { BodyStream } from './body-stream.ts'
import { failureOf, InvalidAnswer, type Stage } from './failures.ts'
import type { Attempt, AttemptEnd, AttemptEvents } from './lane.ts'
import type { Carried, Carrier } from './pool.ts'
import { readHead, readTrailers } from './response-head.ts'

/** What may arrive between the head and the sink's start: one read of the socket. */
const EARLY_BYTES_MAX = 64 * 1024

/** A real server sends one or two; an endless row of them would only cost. */
const INTERIM_MAX = 16

type Controller = Dispatcher.DispatchController
type End = { readonly trailers: readonly string[] | null } | { readonly failure: Failure }

/** Thrown back at undici where a request is over before it was written. */
class NoLongerWanted extends Error {
  readonly code = 'UND_ERR_ABORTED'
}

export class UndiciAttempt implements Attempt, Carried, AnswerStream {
  carrier: Carrier | null = null
  turn: 'fresh' | 'reused' = 'fresh'
  bytesDeclared: number | null = null
  readonly #events: AttemptEvents
  readonly #method: string
  readonly #body: BodyStream | null
  #stage: Stage = 'connecting'
  #dispatch: 'running' | 'returned' = 'running'
  #over: 'no' | 'yes' = 'no'
  #controller: Controller | null = null
  #abandoned: Error | null = null
  #interims = 0
  /** 205 says that nothing follows; what does follow is dropped. */
  #drops = false
  // ---- the stream's side
  #sink: AnswerSink | null = null
  #early: Buffer[] = []
  #earlyBytes = 0
  #flow: 'flowing' | 'paused' = 'flowing'
  #end: End | null = null

  constructor(events: AttemptEvents, method: string, body: BodyStream | null) {
    this.#events = events
    this.#method = method
    this.#body = body
  }

  get body(): 'unread' | 'consumed' {
    return this.#body?.consumed === 'yes' ? 'consumed' : 'unread'
  }

  /** The library may refuse a request within the call that hands it over. */
  dispatched(): this {
    this.#dispatch = 'returned'
    return this
  }

  // ---- called by undici; what is thrown here comes back as onResponseError ---------------------

  onRequestStart(controller: Controller): void {
    if (this.#abandoned !== null) throw this.#abandoned
    this.#controller = controller
    this.#stage = 'waiting'
    this.turn = this.carrier?.takeTurn() ?? 'fresh'
    this.#events.sent(this)
  }

  onResponseStart(controller: Controller, status: number): void {
    const raw = flatList(controller.rawHeaders)
    if (status < 200) return this.#interim(status, raw)
    if (raw.length > 2 * HEADERS_MAX) throw new InvalidAnswer('too many headers')
    const head = readHead(this.#method, status, raw)
    if (head.kind === 'invalid') throw new InvalidAnswer(head.because)
    this.#stage = 'answering'
    this.#drops = status === 205
    this.bytesDeclared = head.bytesDeclared
    this.#events.answered(this, { status, headers: head.headers, stream: this })
  }

  #interim(status: number, headers: readonly string[]): void {
    this.#interims++
    if (this.#interims > INTERIM_MAX) throw new InvalidAnswer('too many interim answers')
    this.#events.interim(this, status, headers)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#drops) return
    if (this.#sink === null || this.#flow === 'paused') {
      this.#early.push(chunk)
      this.#earlyBytes += chunk.length
      if (this.#earlyBytes >= EARLY_BYTES_MAX || this.#flow === 'paused') controller.pause()
    } else if (this.#sink.data(chunk) === 'pause') {
      this.#flow = 'paused'
      controller.pause()
    }
  }

  onResponseEnd(controller: Controller): void {
    const raw = flatList(controller.rawTrailers)
    this.#isOver('complete')
    this.#finish({ trailers: raw.length === 0 ? null : readTrailers(raw) })
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    const failure = failureOf(error, this.#stage)
    if (this.#stage === 'answering') {
      this.#isOver('broken')
      this.#finish({ failure })
    } else if (this.#dispatch === 'returned') this.#fail(failure)
    else queueMicrotask(() => this.#fail(failure))
  }

  #fail(failure: Failure): void {
    if (this.#over === 'yes') return
    this.#isOver('broken')
    this.#events.failed(this, failure)
  }

  #isOver(end: AttemptEnd): void {
    if (this.#over === 'yes') return
    this.#over = 'yes'
    this.#events.over(this, end)
  }

  // ---- AnswerStream ----------------------------------------------------------------------------

  start(sink: AnswerSink): void {
    this.#sink = sink
    this.#flush(sink)
  }

  resume(): void {
    if (this.#flow === 'flowing') return
    this.#flow = 'flowing'
    if (this.#sink !== null) this.#flush(this.#sink)
  }

  #flush(sink: AnswerSink): void {
    while (this.#flow === 'flowing' && this.#early.length > 0) {
      const chunk = this.#early.shift()
      if (chunk === undefined) break
      this.#earlyBytes -= chunk.length
      if (sink.data(chunk) === 'pause') this.#flow = 'paused'
    }
    if (this.#flow === 'paused') return
    if (this.#end === null) this.#controller?.resume()
    else this.#finish(this.#end)
  }

  #finish(end: End): void {
    this.#end = end
    const sink = this.#sink
    // What the sink has not taken yet comes first; a failure need not wait for that.
    if (sink === null || ('trailers' in end && this.#early.length > 0)) return
    this.#sink = null
    this.#early = []
    if ('trailers' in end) sink.end(end.trailers)
    else sink.fail(end.failure)
  }

  abort(): void {
    this.#isOver('aborted')
    this.#sink = null
    this.#early = []
    this.#drops = true
    this.#abandoned = new NoLongerWanted('nobody waits for the answer')
    this.#controller?.abort(this.#abandoned)
    this.#body?.destroy()
  }
}

/** HTTP/1.1 gives the raw list as buffers; HTTP/2 an object, in which only Set-Cookie repeats. */
function flatList(raw: Controller['rawHeaders']): string[] {
  if (raw === null || raw === undefined) return []
  if (!Array.isArray(raw)) return flatFields(raw)
  const list: string[] = []
  for (const part of raw) list.push(typeof part === 'string' ? part : part.toString('latin1'))
  return list
}

function flatFields(fields: IncomingHttpHeaders): string[] {
  const list: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(':') || value === undefined) continue
    for (const one of typeof value === 'string' ? [value] : value) list.push(name, one)
  }
  return list
}
