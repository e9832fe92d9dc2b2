/**
 * An upstream in front of a recorder, and what tests ask of it.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Backend } from '#wire/table'
import type { BodySink, RequestBody } from '../../request/exchange.ts'
import type { Failure } from '../../request/failure.ts'
import type { CallEvent } from '../call.ts'
import { Deadlines } from '../deadlines.ts'
import { DEFAULT_DELIVERY } from '../delivery.ts'
import { UndiciUpstream } from '../undici.ts'
import type { UpstreamCall, UpstreamHead, UpstreamRequest } from '../upstream.ts'
import { callOptions } from './options.ts'
import { type Recorder, type Script, startRecorder } from './recorder.ts'

export const now = (): number => Number(process.hrtime.bigint()) / 1e6
export const BACKEND: Backend = { protocol: 'http', clusterAddress: null }
export const KEY = 'shop/books:80'

export type Http1 = 'own' | 'undici'
const lanes = new WeakMap<TestContext, Http1>()

/** Twice: on each client that can carry plain HTTP/1.1. */
export function onBothLanes(name: string, act: (t: TestContext, http1: Http1) => unknown): void {
  for (const http1 of ['own', 'undici'] as const) {
    test(`${name} (${http1})`, async (t) => {
      lanes.set(t, http1)
      await act(t, http1)
    })
  }
}

export function upstreamOf(
  t: TestContext,
  ports: readonly number[],
  events: CallEvent[] = [],
): UndiciUpstream {
  const deadlines = new Deadlines(now)
  const http1 = lanes.get(t) ?? 'own'
  const upstream = new UndiciUpstream({ ...callOptions(deadlines, events), http1 })
  upstream.backends(new Map([[KEY, BACKEND]]))
  setPorts(upstream, ports)
  t.after(async () => {
    deadlines.stop()
    await upstream.destroy()
  })
  return upstream
}

export function setPorts(upstream: UndiciUpstream, ports: readonly number[], version = 1): void {
  const endpoints = ports.map((port) => ({ address: '127.0.0.1', port, zone: null }))
  const places = ports.map((_, i) => i + 1)
  upstream.endpoints({ backend: KEY, version, endpoints, place: 0, places })
}

export async function recorder(t: TestContext, script: Script): Promise<Recorder> {
  const started = await startRecorder(script)
  t.after(() => started.close())
  return started
}

export function requestOf(some: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    backend: KEY,
    method: 'GET',
    target: '/x',
    host: 'shop.example.com',
    headers: [],
    body: null,
    deadlineMs: now() + 5_000,
    delivery: DEFAULT_DELIVERY,
    ...some,
  }
}

export interface Sent {
  readonly call: UpstreamCall
  readonly outcome: Promise<UpstreamHead | Failure>
  readonly interims: number[]
}

export function send(upstream: UndiciUpstream, some: Partial<UpstreamRequest> = {}): Sent {
  const { promise, resolve } = Promise.withResolvers<UpstreamHead | Failure>()
  const interims: number[] = []
  const call = upstream.send(requestOf(some), {
    head: resolve,
    failed: resolve,
    interim: (status) => void interims.push(status),
  })
  return { call, outcome: promise, interims }
}

export function headOf(outcome: UpstreamHead | Failure): UpstreamHead {
  assert.ok(!('kind' in outcome), `failed: ${JSON.stringify(outcome)}`)
  return outcome
}

export function failureOf(outcome: UpstreamHead | Failure): Failure {
  assert.ok('kind' in outcome, 'expected a failure')
  return outcome
}

export interface Read {
  readonly text: string
  readonly trailers: readonly string[] | null
  readonly failure: Failure | null
}

export function readAll(head: UpstreamHead): Promise<Read> {
  const { promise, resolve } = Promise.withResolvers<Read>()
  let text = ''
  head.stream.start({
    data(chunk) {
      text += chunk.toString('latin1')
      return 'more'
    },
    end: (trailers) => resolve({ text, trailers, failure: null }),
    fail: (failure) => resolve({ text, trailers: null, failure }),
  })
  return promise
}

export async function textOf(
  upstream: UndiciUpstream,
  some: Partial<UpstreamRequest> = {},
): Promise<string> {
  const read = await readAll(headOf(await send(upstream, some).outcome))
  await idle()
  return read.text
}

/** undici looks at a connection once more, a turn of the loop later, before it uses it again. */
export async function idle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A body that a test feeds by hand, and that says how it was paced. */
export class HandBody implements RequestBody {
  readonly empty = false
  readonly bytesDeclared: number | null
  sink: BodySink | null = null
  resumes = 0
  constructor(bytesDeclared: number | null = null) {
    this.bytesDeclared = bytesDeclared
  }
  start(sink: BodySink): void {
    this.sink = sink
  }
  resume(): void {
    this.resumes++
  }
}
