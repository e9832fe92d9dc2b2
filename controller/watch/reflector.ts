/**
 * Keeps one kind (of one namespace, or of all) as the API server has it: a paged list, then a watch
 * that is resumed from where it ended, and a new list only where the API server has forgotten that
 * place. It never gives up and never throws: every failure is logged once and waited out.
 * Pinned by test/cluster/watch.test.ts: "a watch that breaks resumes from the last version seen".
 */
import type { Readable } from 'node:stream'
import { lines } from '#wire/lines'
import { type KubeClient, KubeFailure, statusOf, successOf } from '../kube/client.ts'
import type { Logger } from '../log.ts'
import { isRecord } from '../kube/fields.ts'

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
  readonly query: Readonly<Record<string, string>>
  /** What a 404 of the list means: an error, or that nothing of it exists. */
  readonly whenUnknown: 'fail' | 'empty'
  readonly sink: ReflectorSink
  readonly log: Logger
  /** In [0, 1). */
  readonly random: () => number
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
}

/** 500 routes are 1.2 MB: a page is one comfortable read for the API server and for us. */
const PAGE_OBJECTS = '500'
const BACKOFF_FIRST_MS = 500
const BACKOFF_MAX_MS = 30_000
/** A kind that the API server does not know may be installed later. */
const UNKNOWN_AGAIN_MS = 30_000
const WATCH_SECONDS_MIN = 300
/** One object; the API server's own limit is 3 MiB by way of etcd. */
const LINE_BYTES_MAX = 8 * 1024 * 1024

export interface Reflector {
  stop(): void
}

export function startReflector(options: ReflectorOptions): Reflector {
  const stop = new AbortController()
  void run(options, stop.signal)
  return { stop: () => stop.abort() }
}

async function run(options: ReflectorOptions, signal: AbortSignal): Promise<void> {
  let version: string | null = null
  let failures = 0
  while (!signal.aborted) {
    try {
      version ??= await list(options, signal)
      version = await watch(options, version, signal)
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      const failure = toFailure(error)
      if (failure.status === 410) version = null
      else options.log.warn({ path: options.path, status: failure.status }, failure.message)
      if (version === null && failure.status !== 410) options.sink.failed(failure)
      await options.wait(backoff(failures, failure, options.random), signal)
      failures += 1
    }
  }
}

/** Full jitter over a doubling bound, so that restarted API servers are not met by a crowd. */
export function backoff(failures: number, failure: KubeFailure, random: () => number): number {
  const bound = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(failures, 16))
  return Math.max(failure.retryAfterMs ?? 0, bound * (0.5 + random() / 2))
}

function toFailure(error: unknown): KubeFailure {
  if (error instanceof KubeFailure) return error
  return new KubeFailure(0, 'Broken', error instanceof Error ? error.message : String(error))
}

async function list(options: ReflectorOptions, signal: AbortSignal): Promise<string> {
  const objects: unknown[] = []
  let next = ''
  for (;;) {
    const query = {
      ...options.query,
      limit: PAGE_OBJECTS,
      ...(next === '' ? {} : { continue: next }),
    }
    const answer = await options.client.request({
      method: 'GET',
      path: options.path,
      query,
      signal,
    })
    if (answer.status === 404 && options.whenUnknown === 'empty') {
      options.sink.replace([], '0')
      await options.wait(UNKNOWN_AGAIN_MS, signal)
      return list(options, signal)
    }
    const page = pageOf(successOf(answer))
    for (const item of page.items) objects.push(item)
    if (page.next === '') {
      options.sink.replace(objects, page.resourceVersion)
      return page.resourceVersion
    }
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
  const seconds = Math.round(WATCH_SECONDS_MIN * (1 + options.random()))
  const query = {
    ...options.query,
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
      version = take(options.sink, Buffer.from(line).toString('utf8')) ?? version
    }
  } catch (error) {
    // What was taken before the break is kept: the next watch goes on from there.
    if (error instanceof KubeFailure && error.status === 410) throw error
    if (version === from) throw error
    options.log.warn({ path: options.path }, `watch broke: ${toFailure(error).message}`)
  } finally {
    stream.destroy()
  }
  return version
}

function take(sink: ReflectorSink, line: string): string | null {
  const event: unknown = JSON.parse(line)
  if (!isRecord(event) || !isRecord(event['object'])) {
    throw new KubeFailure(0, 'Broken', 'the API server sent a watch event without an object')
  }
  const object = event['object']
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {}
  const version = versionOf(metadata)
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
    default: {
      const { code, reason, message } = statusOf(object)
      throw new KubeFailure(
        code,
        reason,
        message === '' ? 'the watch ended with an error' : message,
      )
    }
  }
}

function versionOf(metadata: Readonly<Record<string, unknown>>): string {
  const version = metadata['resourceVersion']
  return typeof version === 'string' ? version : ''
}
