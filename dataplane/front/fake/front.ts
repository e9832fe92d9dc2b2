/**
 * A front with real phases behind it where a test wants them, and a list of what was recorded.
 */
import { createBeside } from '../../runtime/beside.ts'
import type { TestContext } from 'node:test'
import { monotonicMs, wallClockMs } from '../../clock.ts'
import type { Raw } from '../../fake/plane.ts'
import type { Exchange } from '../../request/exchange.ts'
import { idSource } from '../../request/id.ts'
import type { AnswerSink, AnswerStream, Outcome } from '../../request/outcome.ts'
import type { ExchangeRecord } from '../../request/record.ts'
import { serve } from '../../request/serve.ts'
import type { Soon } from '../../request/walk.ts'
import { emptyTable } from '../../runtime/build.ts'
import type { Runtime, TrustedProxies } from '../../runtime/runtime.ts'
import { Deadlines } from '../../upstream/deadlines.ts'
import { UndiciUpstream } from '../../upstream/undici.ts'
import { Front } from '../front.ts'
import { BOUNDS, type FrontBounds, type FrontOwner } from '../http1.ts'
import { callOptions } from '../../upstream/fake/options.ts'

export interface FrontUnderTest {
  readonly front: Front
  readonly runtime: Runtime
  readonly port: number
  readonly records: ExchangeRecord[]
  readonly exchanges: Exchange[]
  readonly bugs: unknown[]
  readonly upstream: UndiciUpstream
}

export type Answering = (exchange: Exchange, runtime: Runtime) => Soon<Outcome>

export async function startFront(
  t: TestContext,
  answering: Answering,
  trustedProxies: TrustedProxies | null = null,
  bounds: Partial<FrontBounds> = {},
): Promise<FrontUnderTest> {
  const records: ExchangeRecord[] = []
  const exchanges: Exchange[] = []
  const bugs: unknown[] = []
  const deadlines = new Deadlines(monotonicMs)
  const upstream = new UndiciUpstream(callOptions(deadlines))
  const runtime: Runtime = {
    table: emptyTable(),
    httpsPort: null,
    upstream,
    limiter: {
      take: () => ({ kind: 'admitted', standings: [], held: [], observed: [] }),
      release: () => undefined,
    },
    sinks: [{ record: (record) => void records.push(record) }],
    beside: createBeside(),
    bug: (error) => void bugs.push(error),
  }
  const owner: FrontOwner = {
    now: monotonicMs,
    wallClock: wallClockMs,
    newId: idSource(new Uint8Array([1, 2, 3, 4, 5]), wallClockMs),
    deadlines,
    trustedProxies: () => trustedProxies,
    tls: () => runtime.table.tls,
    serve: (exchange) => {
      exchanges.push(exchange)
      void serve(exchange, runtime, [answering])
    },
    refused: () => undefined,
    bug: (error) => void bugs.push(error),
  }
  const front = new Front(owner, { ...SHORT, ...bounds })
  t.after(async () => {
    front.destroy()
    deadlines.stop()
    await upstream.destroy()
  })
  const { port } = await front.listen({ host: '127.0.0.1', port: 0, reusePort: false })
  return { front, runtime, port, records, exchanges, bugs, upstream }
}

const SHORT: FrontBounds = {
  ...BOUNDS,
  headMs: 400,
  headCheckEveryMs: 50,
  stalledMs: 300,
  connectionsMax: 60,
  requestsMax: 100_000,
}

export const HOST = 'Host: shop.example.com\r\n'

export function statusOf({ text }: Raw): string {
  return text.slice(9, 12)
}

/** Reads the whole body, then answers with it. */
export const echo: Answering = (exchange) =>
  new Promise((resolve) => {
    let text = ''
    exchange.body.start({
      data(chunk) {
        exchange.bytesIn += chunk.length
        text += chunk.toString('latin1')
        return 'more'
      },
      end: () => resolve(ok(`${exchange.method} ${exchange.host} ${exchange.path} ${text}`)),
      abort: () => resolve(ok('aborted')),
    })
  })

/** An answer that a test feeds. */
export class HandStream implements AnswerStream {
  readonly bytesDeclared: number | null
  sink: AnswerSink | null = null
  resumes = 0
  aborted: 'no' | 'yes' = 'no'
  constructor(bytesDeclared: number | null) {
    this.bytesDeclared = bytesDeclared
  }
  start(sink: AnswerSink): void {
    this.sink = sink
  }
  resume(): void {
    this.resumes++
  }
  abort(): void {
    this.aborted = 'yes'
  }
}

export function streaming(stream: HandStream, headers: readonly string[] = []): Outcome {
  return { kind: 'respond', status: 200, headers, body: { kind: 'stream', stream }, by: 'upstream' }
}

export function ok(body: string): Outcome {
  const bytes = Buffer.from(body)
  const headers = ['content-length', String(bytes.length)]
  return { kind: 'respond', status: 200, headers, body: { kind: 'bytes', bytes }, by: 'gateway' }
}
