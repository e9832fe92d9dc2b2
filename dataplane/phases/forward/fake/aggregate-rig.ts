/**
 * What the tests of aggregates share: a real backend on loopback, actions from few words, and one
 * request through them.
 */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import type { AggregateAction, Call } from '#wire/aggregate'
import type { TemplateTree } from '#wire/value'
import { monotonicMs } from '../../../clock.ts'
import type { Exchange } from '../../../request/exchange.ts'
import type { Outcome } from '../../../request/outcome.ts'
import { createExpressions } from '../../../runtime/expression.ts'
import { createPreparer, isRefused } from '../../../runtime/preparer.ts'
import type { Preparer, Refused } from '../../../runtime/prepare.ts'
import { Deadlines } from '../../../upstream/deadlines.ts'
import { UndiciUpstream } from '../../../upstream/undici.ts'
import { fakeExchange, type FakeAnswer } from '../../../../test/fake/exchange.ts'
import { answerOf, failureOf } from '../aggregate-answer.ts'
import { AggregateRun } from '../aggregate-run.ts'
import { buildAggregate } from '../build-aggregate.ts'
import type { PreparedAggregate } from '../prepared-aggregate.ts'
import { callOptions, placed } from '../../../upstream/fake/options.ts'

const KEY = 'shop/parts:80'
const prepare: Preparer = createPreparer(createExpressions())

export function build(made: AggregateAction): PreparedAggregate | Refused {
  const reader = { get: () => null, reject: () => undefined }
  return buildAggregate(made, reader, { prepare } as Parameters<typeof buildAggregate>[2])
}

export interface Rig {
  readonly upstream: UndiciUpstream
  /** Targets in the order of arrival. */
  readonly seen: string[]
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void

export async function rig(t: TestContext, serve: Serve): Promise<Rig> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    serve(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const deadlines = new Deadlines(monotonicMs)
  const upstream = new UndiciUpstream(callOptions(deadlines))
  upstream.backends(new Map([[KEY, { protocol: 'http', clusterAddress: null }]]))
  const endpoints = [{ address: '127.0.0.1', port, zone: null }]
  upstream.endpoints(placed({ backend: KEY, version: 1, endpoints }))
  t.after(async () => {
    deadlines.stop()
    await upstream.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { upstream, seen }
}

export function json(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(text)
}

/** Answers `/status/json`: `/200/{"a":1}`. */
export const ECHO: Serve = (request, response) => {
  const [, status = '200', text = '{}'] = decodeURIComponent(request.url ?? '').split('/')
  json(response, Number(status), text)
}

export function call(
  name: string,
  some: Partial<Omit<Call, 'path'>> & { path: string | Call['path'] },
): Call {
  const path =
    typeof some.path === 'string'
      ? {
          segments: some.path
            .slice(1)
            .split('/')
            .map((part) => [encodeURIComponent(part)]),
          query: [],
        }
      : some.path
  return {
    name,
    dependsOn: [],
    when: null,
    forEach: null,
    backend: { kind: 'backend', backend: KEY },
    method: 'GET',
    headers: { forward: ['trace'], set: [] },
    body: null,
    timeoutMs: null,
    expect: { statuses: [{ from: 200, to: 299 }], contentType: null },
    fallback: null,
    ...some,
    path,
  }
}

export function hole(expr: string): TemplateTree {
  return { kind: 'template', template: [{ expr }] }
}

export function body(fields: Readonly<Record<string, string>>): TemplateTree {
  return {
    kind: 'object',
    fields: Object.entries(fields).map(([name, expr]) => ({ name, tree: hole(expr) })),
  }
}

export function action(
  calls: readonly Call[],
  tree: TemplateTree,
  some: Partial<AggregateAction> = {},
): AggregateAction {
  return {
    kind: 'aggregate',
    deadlineMs: 5_000,
    callsMax: 50,
    concurrencyMax: 12,
    totalBytesMax: 100_000,
    errors: { field: '_errors', detail: 'summary' },
    calls,
    response: { status: null, headers: [], body: tree },
    ...some,
  }
}

export interface Result {
  readonly status: number
  readonly text: string
  readonly cause: string | null
  readonly header: (name: string) => string | null
}

export function prepared(made: AggregateAction): PreparedAggregate {
  const built = build(made)
  assert.ok(!isRefused(built), isRefused(built) ? built.because : '')
  return built
}

export async function ask(
  made: AggregateAction,
  { upstream }: Rig,
  asked = fakeExchange(),
): Promise<Result> {
  const aggregate = prepared(made)
  const outcome = await run(aggregate, asked, upstream)
  if (outcome.kind === 'fail') {
    return {
      status: outcome.status,
      text: outcome.detail,
      cause: outcome.cause,
      header: () => null,
    }
  }
  assert.equal(outcome.kind, 'respond')
  if (outcome.kind !== 'respond') throw new Error('unreachable')
  const { headers, status } = outcome
  const text = outcome.body.kind === 'bytes' ? outcome.body.bytes.toString('utf8') : ''
  const header = (name: string): string | null => {
    const at = headers.findIndex((word, i) => i % 2 === 0 && word === name)
    return at === -1 ? null : (headers[at + 1] ?? null)
  }
  return { status, text, cause: null, header }
}

export function run(
  aggregate: PreparedAggregate,
  { exchange, answer }: { readonly exchange: Exchange; readonly answer: FakeAnswer },
  upstream: UndiciUpstream,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const running = new AggregateRun(aggregate, { exchange, upstream }, (finished) => {
      if (finished.kind === 'failed') resolve(failureOf(finished.by, finished.failure))
      else resolve(answerOf(aggregate, finished, running.scope).outcome)
    })
    answer.onAbort(() => running.abort())
    running.start()
  })
}
