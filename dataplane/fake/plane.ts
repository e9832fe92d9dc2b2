/**
 * What tests of the process need: workers with a small table, and ways to talk to them.
 */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { Action, PathPattern, Rule, TableObject } from '#wire/table'
import { tableObject } from '../../test/fake/table.ts'
import { createLimitMemory } from '../limits/shared.ts'
import { MemoryBoard } from '../memory.ts'
import { Metrics } from '../metrics.ts'
import type { Logger, TableChange } from '../sync/port.ts'
import { columnsOf, Threads, type ThreadsOptions } from '../threads.ts'
import type { WorkerStart } from '../worker-protocol.ts'
import { portOf } from '../upstream/fake/recorder.ts'
import { createUpstreamMemory } from '../upstream/counts.ts'
import { Places } from '../upstream/places.ts'
import { monotonicMs } from '../clock.ts'

export const BACKEND = 'shop/books:80'

export function ruleOf(name: string, path: string, action: Action, some: Partial<Rule> = {}): Rule {
  const [first = ''] = path.slice(1).split('/', 1)
  const below = path.endsWith('/**')
  const pattern: PathPattern = {
    kind: 'segments',
    segments: [{ literal: first }],
    end: below ? 'below' : 'exact',
  }
  return {
    route: 'shop/shop',
    name,
    matches: [{ method: null, path: pattern, headers: [], queryParams: [], when: null }],
    auth: { kind: 'open' },
    limits: [],
    rewrite: null,
    requestHeaders: null,
    responseHeaders: null,
    totalTimeoutMs: 5_000,
    action,
    ...some,
  }
}

export const PROXY: Action = {
  kind: 'proxy',
  backends: [{ when: null, weight: 1, to: { kind: 'backend', backend: BACKEND } }],
}

export function fixed(body: string, status = 200): Action {
  return { kind: 'respond', status, headers: [], body: [body] }
}

/** One host for everything, its rules in this order. */
export function tableOf(rules: readonly Rule[]): readonly TableObject[] {
  const entries = rules.map((rule) => ({ rule: keyOf(rule), match: 0 }))
  return [
    tableObject('gateway', 'shop/default', { trustedProxies: [], egressAllow: [], dataPlanes: 1 }),
    tableObject('backend', BACKEND, { protocol: 'http', clusterAddress: null }),
    tableObject('host', '*', { namespace: 'shop', entries }),
    ...rules.map((rule) => tableObject('rule', keyOf(rule), rule)),
  ]
}

export function snapshotOf(hash: string, rules: readonly Rule[]): TableChange {
  return { from: 'snapshot', hash, drops: [], puts: tableOf(rules) }
}

function keyOf({ route, name }: Rule): string {
  return `${route}/${name}`
}

export interface Said {
  readonly level: 'info' | 'warn' | 'error'
  readonly facts: object
  readonly message: string
}

export function listLog(): Logger & { readonly said: Said[] } {
  const said: Said[] = []
  const note =
    (level: Said['level']) =>
    (facts: object, message: string): void => {
      said.push({ level, facts, message })
    }
  return { said, info: note('info'), warn: note('warn'), error: note('error') }
}

export interface Running {
  readonly threads: Threads
  readonly port: number
  readonly metrics: Metrics
  readonly log: ReturnType<typeof listLog>
  readonly lines: string[]
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

export async function startThreads(
  t: TestContext,
  workers: number,
  some: Partial<ThreadsOptions> = {},
  sharing: WorkerStart['sharing'] = 'reusePort',
): Promise<Running> {
  const port = await freePort()
  const log = listLog()
  const lines: string[] = []
  const limits = createLimitMemory(
    { columns: columnsOf(workers), rateSlots: 1024, gaugeSlots: 1024 },
    [1, 2, 3, 4],
  )
  const upstream = createUpstreamMemory(columnsOf(workers), 64)
  const metrics: Metrics = new Metrics(() => ({
    ...threads.facts,
    ready: 1,
    memoryUsed: 0,
    memoryLimit: 0,
    memoryPressure: 0,
    endpointsOut: 0,
  }))
  const threads: Threads = new Threads({
    workers,
    start: {
      host: '127.0.0.1',
      port,
      sharing,
      https: null,
      limits,
      memory: MemoryBoard.for(columnsOf(workers)).shared,
      connectionsMax: 1_000,
      upstream,
      accessLog: 'on',
    },
    metrics,
    log,
    places: new Places(upstream, monotonicMs),
    accessLog: (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      lines.push(...text.split('\n').filter((line) => line !== ''))
    },
    unknownKey: () => undefined,
    keySets: () => [],
    columnFreed: () => undefined,
    stuck: () => undefined,
    heapMbMax: 96,
    silentMsMax: 1_500,
    ...some,
  })
  t.after(() => threads.close(0))
  await threads.start()
  return { threads, port, metrics, log, lines }
}

export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** On a connection of its own unless an agent is given. */
export async function get(
  port: number,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>()
  const request = httpRequest(
    { host: '127.0.0.1', port, path, agent: false, ...options },
    (response) => {
      let body = ''
      response.setEncoding('latin1')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      })
      response.on('error', reject)
    },
  )
  request.on('error', reject)
  request.end()
  return promise
}

export interface Raw {
  readonly socket: Socket
  /** All that has come. */
  readonly text: string
  readonly state: 'open' | 'ended' | 'closed'
}

/** A client that sends exactly these bytes. */
export function raw(t: TestContext, port: number, bytes: string): Raw {
  const socket = connect({ host: '127.0.0.1', port })
  const seen = { socket, text: '', state: 'open' as Raw['state'] }
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => (seen.text += chunk))
  socket.on('end', () => (seen.state = 'ended'))
  socket.on('close', () => (seen.state = 'closed'))
  socket.on('error', () => undefined)
  if (bytes !== '') socket.write(bytes, 'latin1')
  t.after(() => socket.destroy())
  return seen
}

/** What unruly-worker.ts can be asked to do, on this channel. */
export interface Misdeed {
  /** Id of the worker. */
  readonly worker: number
  /** hold: so many megabytes of buffers more; 0: none at all. */
  readonly megabytes?: number
  readonly what:
    | 'throw'
    | 'reject'
    | 'exit'
    | 'hang'
    | 'hangNative'
    | 'hold'
    | 'grow'
    | 'dieInPrepare'
}

export const UNRULY_CHANNEL = 'fairlead-unruly'
