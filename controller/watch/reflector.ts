/**
 * Keeps one kind (of one namespace, or of all) as the API server has it: a paged list, then a watch
 * that is resumed from where it ended, and a new list only where the API server has forgotten that
 * place. It never gives up and never throws: every failure is logged once and waited out.
 * Pinned by test/cluster/watch.test.ts: "a watch that breaks resumes from the last version seen".
 */
import type { Readable } from 'node:stream'
import { lines } from '#wire/lines'
import {
  type KubeClient,
  KubeFailure,
  statusOf,
  successOf,
  WATCH_SECONDS_MAX,
} from '../kube/client.ts'
import { isRecord } from '../../crds/inspect.ts'
import type { Logger } from '../log.ts'

export interface ReflectorSink {
  /** All objects there are, at the end of a list. */
  replace(objects: readonly unknown[], resourceVersion: string): void
  put(object: unknown, resourceVersion: string): void
  drop(object: unknown, resourceVersion: string): void
  /** Nothing changed up to here. */
  bookmark(resourceVersion: string): void
  /** The list failed: nothing is known yet, or what is known may be old. */
  failed(failure: KubeFailure): void
}

export interface ReflectorOptions {
  readonly client: KubeClient
  readonly path: string
  /** What a 404 of the list means: an error, or that nothing of it exists. */
  readonly whenUnknown: 'fail' | 'empty'
  readonly sink: ReflectorSink
  readonly log: Logger
  /** In [0, 1). */
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/** 500 routes are 1.2 MB: a page is one comfortable read for the API server and for us. */
const PAGE_OBJECTS = '500'
const BACKOFF_FIRST_MS = 500
const BACKOFF_MAX_MS = 30_000
/** Someone is looking for the right to be granted, and one list a moment costs little. */
const FORBIDDEN_MAX_MS = 5_000
/** A kind that the API server does not know may be installed later. */
const UNKNOWN_AGAIN_MS = 10_000
/** One that ends sooner and brought nothing is a failure like any other, and not begun at once. */
const WATCH_MS_MIN = 1_000
/** One object; the API server's own limit is 3 MiB by way of etcd. */
const LINE_BYTES_MAX = 8 * 1024 * 1024

export interface Reflector {
  /** Reads everything anew, without waiting for what a watch would bring. */
  relist(): void
  stop(): void
}

export function startReflector(options: ReflectorOptions): Reflector {
  const reflecting = new Reflecting(options)
  void reflecting.run()
  return { relist: () => reflecting.relist(), stop: () => reflecting.stop() }
}

class Reflecting {
  readonly #options: ReflectorOptions
  readonly #stop = new AbortController()
  #watching = new AbortController()
  /** From which the next watch goes on; null: a list is due. */
  #version: string | null = null
  #failures = 0

  constructor(options: ReflectorOptions) {
    this.#options = options
  }

  stop(): void {
    this.#stop.abort()
  }

  relist(): void {
    this.#version = null
    this.#watching.abort()
  }

  async run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#once()
      } catch (error) {
        if (signal.aborted) return
        await this.#failed(toFailure(error))
      }
    }
  }

  async #once(): Promise<void> {
    const { now } = this.#options
    this.#version ??= await list(this.#options, this.#stop.signal)
    const startedMs = now()
    const from = this.#version
    const reached = await this.#watch(from)
    if (reached === null) return
    this.#version = reached
    if (reached !== from || now() - startedMs >= WATCH_MS_MIN) this.#failures = 0
    else await this.#pause(new KubeFailure(0, 'Broken', 'the watch ended at once'))
  }

  /** Null: everything is to be read anew. */
  async #watch(from: string): Promise<string | null> {
    this.#watching = new AbortController()
    const signal = AbortSignal.any([this.#stop.signal, this.#watching.signal])
    try {
      return await watch(this.#options, from, signal)
    } catch (error) {
      if (this.#watching.signal.aborted && !this.#stop.signal.aborted) return null
      throw error
    }
  }

  async #failed(failure: KubeFailure): Promise<void> {
    const { log, path, sink } = this.#options
    const listed = this.#version !== null
    // 410: that place is forgotten. 404: the kind is gone, and may come back as another.
    if (failure.status === 410 || failure.status === 404) this.#version = null
    if (failure.status === 410) log.info({ path }, 'the watch is too old; everything is read anew')
    // Powers of two: an outage of an hour is some ten lines.
    else if ((this.#failures & (this.#failures + 1)) === 0) {
      log.warn({ path, status: failure.status, failures: this.#failures + 1 }, failure.message)
    }
    if (!listed && failure.status !== 410) sink.failed(failure)
    await this.#pause(failure)
  }

  async #pause(failure: KubeFailure): Promise<void> {
    const { random, wait } = this.#options
    const ms = backoff(this.#failures, failure, random)
    this.#failures += 1
    await wait(ms, this.#stop.signal)
  }
}

/** Half of it jitter, over a doubling bound, so that restarted API servers are not met by a crowd. */
export function backoff(failures: number, failure: KubeFailure, random: () => number): number {
  const max = failure.status === 403 ? FORBIDDEN_MAX_MS : BACKOFF_MAX_MS
  const bound = Math.min(max, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 16))
  return Math.max(failure.retryAfterMs ?? 0, bound * (0.5 + random() / 2))
}

function toFailure(error: unknown): KubeFailure {
  if (error instanceof KubeFailure) return error
  return new KubeFailure(0, 'Broken', error instanceof Error ? error.message : String(error))
}

async function list(options: ReflectorOptions, signal: AbortSignal): Promise<string> {
  const { client, path, sink, wait, whenUnknown } = options
  for (;;) {
    const { objects, resourceVersion } = await pages(client, path, signal)
    if (resourceVersion === null && whenUnknown === 'fail') {
      throw new KubeFailure(404, 'NotFound', 'the API server does not know this kind')
    }
    sink.replace(objects, resourceVersion ?? '0')
    if (resourceVersion !== null) return resourceVersion
    await wait(UNKNOWN_AGAIN_MS, signal)
    signal.throwIfAborted()
  }
}

interface Listed {
  readonly objects: readonly unknown[]
  /** Null: there is no such kind. */
  readonly resourceVersion: string | null
}

async function pages(client: KubeClient, path: string, signal: AbortSignal): Promise<Listed> {
  const objects: unknown[] = []
  let next = ''
  for (;;) {
    const query = { limit: PAGE_OBJECTS, ...(next === '' ? {} : { continue: next }) }
    const answer = await client.request({ method: 'GET', path, query, signal })
    if (answer.status === 404) return { objects: [], resourceVersion: null }
    const page = pageOf(successOf(answer))
    for (const item of page.items) objects.push(item)
    if (page.next === '') return { objects, resourceVersion: page.resourceVersion }
    next = page.next
  }
}

function pageOf(body: unknown): {
  items: readonly unknown[]
  next: string
  resourceVersion: string
} {
  if (!isRecord(body))
    throw new KubeFailure(0, 'Broken', 'the API server answered a list without an object')
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {}
  const items = body['items']
  return {
    items: Array.isArray(items) ? items : [],
    next: typeof metadata['continue'] === 'string' ? metadata['continue'] : '',
    resourceVersion: versionOf(metadata),
  }
}

/** Until the API server closes it; the version from which the next one goes on. */
async function watch(
  options: ReflectorOptions,
  from: string,
  signal: AbortSignal,
): Promise<string> {
  const seconds = Math.round(WATCH_SECONDS_MAX * (1 - options.random() / 4))
  const query = {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: from,
    timeoutSeconds: String(seconds),
  }
  const stream: Readable = await options.client.open({
    method: 'GET',
    path: options.path,
    query,
    signal,
  })
  let version = from
  try {
    for await (const line of lines(stream, LINE_BYTES_MAX)) {
      version = take(options.sink, Buffer.from(line).toString('utf8'))
    }
  } catch (error) {
    // What was taken before the break is kept: the next watch goes on from there.
    if (version === from || signal.aborted) throw error
    if (error instanceof KubeFailure && error.status === 410) throw error
    options.log.info({ path: options.path }, `the watch broke: ${toFailure(error).message}`)
  } finally {
    stream.destroy()
  }
  return version
}

/** The version reached. */
function take(sink: ReflectorSink, line: string): string {
  const event: unknown = JSON.parse(line)
  if (!isRecord(event) || !isRecord(event['object'])) {
    throw new KubeFailure(0, 'Broken', 'the API server sent a watch event without an object')
  }
  const object = event['object']
  if (event['type'] === 'ERROR') {
    const { code, reason, message } = statusOf(object)
    throw new KubeFailure(code, reason, message)
  }
  const version = versionOf(isRecord(object['metadata']) ? object['metadata'] : {})
  switch (event['type']) {
    case 'ADDED':
    case 'MODIFIED':
      sink.put(object, version)
      return version
    case 'DELETED':
      sink.drop(object, version)
      return version
    case 'BOOKMARK':
      sink.bookmark(version)
      return version
    default:
      throw new KubeFailure(0, 'Broken', `the API server sent a watch event of an unknown type`)
  }
}

function versionOf(metadata: Readonly<Record<string, unknown>>): string {
  const version = metadata['resourceVersion']
  if (typeof version === 'string' && version !== '') return version
  throw new KubeFailure(0, 'Broken', 'the API server sent something without a resourceVersion')
}
