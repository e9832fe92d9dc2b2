/**
 * Both ends of the wire in one process, over real TLS sockets: a controller that pushes, data planes
 * that sync, and a plain map where the workers would be.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { CompiledObject, CompiledTable } from '../../controller/compile/compiled.ts'
import type { Namespaced, Resource } from '../../controller/compile/snapshot.ts'
import { createCertificates, trustOf } from '../../controller/push/certificate.ts'
import { newToken, staticTokens } from '../../controller/push/identity.ts'
import { createPush } from '../../controller/push/push.ts'
import type { Push, PushOptions } from '../../controller/push/push.ts'
import { seal } from '../../controller/watch/secret.ts'
import type { TableChange, Workers } from '../../dataplane/sync/port.ts'
import { startSync } from '../../dataplane/sync/sync.ts'
import type { Sync, SyncOptions } from '../../dataplane/sync/sync.ts'
import { xorOf } from '#wire/digest'
import type { Endpoint, EndpointSet, Rejection } from '#wire/session'
import { objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import { GATEWAY } from './samples.ts'

/** What the workers would run, as plainly as possible. */
export class PlainWorkers implements Workers {
  readonly objects = new Map<string, TableObject>()
  readonly sets = new Map<string, readonly Endpoint[]>()
  readonly changes: TableChange[] = []
  /** What was called, in order. */
  readonly calls: string[] = []
  rejects: readonly Rejection[] = []
  /** What a swap waits for. */
  gate: Promise<void> = Promise.resolve()
  bug: string | null = null

  async swap(change: TableChange): Promise<readonly Rejection[]> {
    await this.gate
    if (this.bug !== null) throw new Error(this.bug)
    if (change.from === 'snapshot') this.objects.clear()
    for (const { kind, key } of change.drops) {
      this.objects.delete(objectId(kind, key))
      if (kind === 'backend') this.sets.delete(key)
    }
    for (const object of change.puts) this.objects.set(objectId(object.kind, object.key), object)
    this.changes.push(change)
    this.calls.push(`swap ${change.from} ${change.puts.length} ${change.drops.length}`)
    return this.rejects
  }

  endpoints(sets: readonly EndpointSet[]): void {
    for (const set of sets) {
      this.sets.set(set.backend, set.endpoints)
      this.calls.push(`endpoints ${set.backend} ${set.endpoints.map((one) => one.address).join()}`)
    }
  }
}

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly facts: object
  readonly message: string
}

export function listLog(): { readonly lines: LogLine[] } & PushOptions['log'] {
  const lines: LogLine[] = []
  const at =
    (level: LogLine['level']) =>
    (facts: object, message: string): void => {
      lines.push({ level, facts, message })
    }
  return { lines, info: at('info'), warn: at('warn'), error: at('error') }
}

/** A table as compile would make it: secrets are sealed, objects that were there keep identity. */
export function compiled(
  objects: readonly TableObject[],
  before?: CompiledTable | null,
): CompiledTable {
  const entries = objects.map((object): [string, CompiledObject] => {
    const id = objectId(object.kind, object.key)
    const known = before?.objects.get(id)
    return [id, known?.digest === object.digest ? known : sealed(object)]
  })
  return { objects: new Map(entries), hash: xorOf(objects.map(({ digest }) => digest)) }
}

function sealed(object: TableObject): CompiledObject {
  if (object.kind !== 'secret') return object
  return { ...object, value: seal(Buffer.from(object.value.base64, 'base64')) }
}

/** Services and slices such that each backend (`namespace/service:port`) has these addresses. */
export function reads(backends: Readonly<Record<string, readonly string[]>>): {
  readonly kinds: { readonly Service: Namespaced; readonly EndpointSlice: Namespaced }
} {
  const services = new Map<string, Map<string, Resource>>()
  const slices = new Map<string, Map<string, Resource>>()
  for (const [backend, addresses] of Object.entries(backends)) {
    const [, namespace = '', name = '', port = ''] = /^(.*)\/(.*):(.*)$/.exec(backend) ?? []
    const service = resource('Service', namespace, name, {
      spec: { ports: [{ name: 'http', port: Number(port) }] },
    })
    const slice = resource('EndpointSlice', namespace, `${name}-1`, {
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080 }],
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    })
    const labelled = { ...slice, labels: { 'kubernetes.io/service-name': name } }
    put(services, namespace, service)
    put(slices, namespace, labelled)
  }
  return { kinds: { Service: services, EndpointSlice: slices } }
}

function put(into: Map<string, Map<string, Resource>>, namespace: string, one: Resource): void {
  const inner = into.get(namespace) ?? new Map<string, Resource>()
  inner.set(one.name, one)
  into.set(namespace, inner)
}

function resource(
  kind: Resource['kind'],
  namespace: string,
  name: string,
  content: Resource['content'],
): Resource {
  return {
    kind,
    namespace,
    name,
    uid: `${kind}-${namespace}-${name}`,
    generation: 1,
    resourceVersion: '1',
    createdMs: 0,
    labels: {},
    annotations: {},
    content,
    secrets: null,
  }
}

export interface World {
  readonly folder: string
  readonly caFile: string
  readonly tokenFile: string
  readonly log: ReturnType<typeof listLog>
  push(options?: Partial<PushOptions>): Promise<Push>
  sync(pushes: readonly Push[], options?: Partial<SyncOptions>): Promise<Plane>
}

export interface Plane {
  readonly sync: Sync
  readonly workers: PlainWorkers
}

/** Quick where production is patient; nothing here waits for a fixed time. */
const QUICK = {
  retryMsMin: 5,
  retryMsMax: 50,
  elsewhereMs: 10,
  aloneAfterMs: 2_000,
  keepEveryMs: { table: 10, endpoints: 10, confirm: 60_000 },
} as const

/** Certificates, a token and a folder for one test; all of it is gone after it. */
export async function createWorld(t: TestContext): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-wire-'))
  const certificates = await createCertificates(['127.0.0.1', 'localhost'], Date.now())
  const caFile = join(folder, 'ca.pem')
  const tokenFile = join(folder, 'token')
  await writeFile(caFile, trustOf(certificates))
  await writeFile(tokenFile, newToken(), { mode: 0o600 })
  const log = listLog()
  const closing: (() => Promise<void>)[] = []
  t.after(async () => {
    for (const close of closing.toReversed()) await close()
    await rm(folder, { recursive: true, force: true })
  })
  let planes = 0
  return {
    folder,
    caFile,
    tokenFile,
    log,
    async push(options = {}) {
      const push = await createPush({
        listen: { host: '127.0.0.1', port: 0 },
        certificate: certificates.server,
        identify: staticTokens([{ file: tokenFile, gateway: GATEWAY }]),
        log,
        ...options,
      })
      closing.push(() => push.close())
      return push
    },
    async sync(pushes, options = {}) {
      const workers = options.workers instanceof PlainWorkers ? options.workers : new PlainWorkers()
      planes += 1
      const sync = await startSync({
        controllers: pushes.map(({ port }) => `https://127.0.0.1:${port}`),
        caFile,
        tokenFile,
        name: `plane-${planes}`,
        state: null,
        log,
        ...options,
        workers,
        timings: { ...QUICK, ...options.timings },
      })
      closing.push(() => sync.close())
      return { sync, workers }
    },
  }
}

/** Waits for a condition, and says what was seen where it does not come. */
export async function until(what: string, holds: () => unknown, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const seen = holds()
    if (seen === true) return
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Closes a push or a sync in the middle of a test; closing it again later is harmless. */
export function wireTest(name: string, run: (world: World) => Promise<void>): void {
  void test(name, async (t) => run(await createWorld(t)))
}
