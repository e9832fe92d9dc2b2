/**
 * A worker's runtime without table, backends and shared memory: what it was asked is kept, what it
 * answers is what the test says.
 */
import type { Backend } from '#wire/table'
import type { Limiter } from '../../dataplane/limits/limiter.ts'
import type { Failure } from '../../dataplane/request/failure.ts'
import type { AnswerSink, AnswerStream } from '../../dataplane/request/outcome.ts'
import type { ExchangeRecord } from '../../dataplane/request/record.ts'
import { emptyTable } from '../../dataplane/runtime/build.ts'
import { type BesideCount, createBeside } from '../../dataplane/runtime/beside.ts'
import type { Runtime } from '../../dataplane/runtime/runtime.ts'
import type {
  Upstream,
  UpstreamListener,
  UpstreamRequest,
} from '../../dataplane/upstream/upstream.ts'

export class FakeRuntime implements Runtime {
  readonly httpsPort: number | null = null
  table = emptyTable()
  readonly upstream = new FakeUpstream()
  readonly limiter = new FakeLimiter()
  readonly records: ExchangeRecord[] = []
  readonly sinks = [{ record: (record: ExchangeRecord) => void this.records.push(record) }]
  readonly bugs: unknown[] = []
  readonly counted: BesideCount[] = []
  readonly beside = createBeside((what) => void this.counted.push(what))

  bug(error: unknown): void {
    this.bugs.push(error)
  }
}

export class FakeUpstream implements Upstream {
  readonly sent: UpstreamRequest[] = []
  listener: UpstreamListener | null = null
  aborted = 0
  known: ReadonlyMap<string, Backend> = new Map()

  send(request: UpstreamRequest, listener: UpstreamListener): { abort: () => void } {
    this.sent.push(request)
    this.listener = listener
    return {
      abort: () => {
        this.aborted++
      },
    }
  }
  backends(backends: ReadonlyMap<string, Backend>): void {
    this.known = backends
  }
  endpoints(): void {}
}

export class FakeLimiter implements Limiter {
  readonly released: number[] = []
  take(): never {
    throw new Error('this test takes no limits')
  }
  release(held: readonly number[]): void {
    this.released.push(...held)
  }
}

/** A stream that a test pushes by hand; it keeps what it was told. */
export class FakeStream implements AnswerStream {
  readonly bytesDeclared: number | null
  sink: AnswerSink | null = null
  resumed = 0
  aborted = 0

  constructor(bytesDeclared: number | null = null) {
    this.bytesDeclared = bytesDeclared
  }
  start(sink: AnswerSink): void {
    if (this.sink !== null) throw new Error('started twice')
    this.sink = sink
  }
  resume(): void {
    this.resumed++
  }
  abort(): void {
    this.aborted++
  }

  push(text: string): 'more' | 'pause' {
    return this.sink?.data(Buffer.from(text)) ?? 'more'
  }
  end(trailers: readonly string[] | null = null): void {
    this.sink?.end(trailers)
  }
  fail(failure: Failure): void {
    this.sink?.fail(failure)
  }
}
