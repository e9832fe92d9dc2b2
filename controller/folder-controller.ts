/**
 * The controller of a folder: the same walk as in a cluster, from files, over the same wire on
 * loopback, for the one data plane of `fairlead dev`.
 * Proved by test/dev.test.ts: "what is broken is listed at its place, and the rest is served".
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Endpoint } from '#wire/session'
import { createCompiler } from './compile/compile.ts'
import type { Compiled } from './compile/compiled.ts'
import type { Kind, Namespaced, Resource, Snapshot } from './compile/snapshot.ts'
import type { Logger } from './log.ts'
import { trustOf } from './push/certificate.ts'
import { folderCertificates } from './push/certificate-store.ts'
import { certificate, fingerprint, sha256 } from './push/encode.ts'
import { newToken, staticTokens } from './push/identity.ts'
import { createPush, type Push } from './push/push.ts'
import { type Board, createBoard } from './status/board.ts'
import { startWalk, type Walk } from './walk.ts'
import { keptFiles } from './watch/folder-kept.ts'
import { FOLDER_GATEWAY, type FolderSource, readFolder } from './watch/folder.ts'
import { ingest } from './watch/ingest.ts'
import { folderMemory } from './watch/last-valid.ts'

export interface FolderControllerOptions {
  readonly folder: string
  /** Exists, 0700, and is ours alone. */
  readonly state: string
  /** Objects besides those of the files. */
  readonly added: (objectsOf: (kind: Kind) => Namespaced) => readonly Resource[]
  readonly samples: Samples
  /** After each walk, and after each acknowledgement: the objects whose status may have changed. */
  readonly changed: (ids: Iterable<string>) => void
  readonly log: Logger
}

/** Backends for Services that the folder does not resolve (cli/sample.ts). */
export interface Samples {
  ensure(keys: Iterable<string>): Promise<void>
  endpointsOf(key: string): readonly Endpoint[] | null
}

export interface FolderController {
  readonly port: number
  /** PEM of the authorities. */
  readonly trust: string
  readonly tokenFile: string
  /** The one that the data plane serves now. */
  readonly gateway: string
  readonly source: FolderSource
  readonly board: Board
  readonly push: Push
  readonly walk: Walk
  close(): Promise<void>
}

const SERVER_NAME = 'localhost'

export async function startFolderController(
  options: FolderControllerOptions,
): Promise<FolderController> {
  const { folder, state, log } = options
  // What changes before the walk begins is in the first snapshot that it takes.
  let changed = (): void => undefined
  const source = await readFolder({
    folder,
    kept: await keptFiles(state, log),
    changed: () => changed(),
    added: addedBy(options),
  })
  const gateway = (): string => source.snapshot(new Map()).installation.defaultGateway
  const tokenFile = await writeToken(state)
  const certificates = await folderCertificates(state, [SERVER_NAME], Date.now).current()
  const push = await createPush({
    listen: { host: '127.0.0.1', port: 0 },
    certificate: certificates.server,
    identify: staticTokens([
      {
        file: tokenFile,
        // Asked for each stream: a file may bring another gateway at any time.
        get gateway() {
          return gateway()
        },
      },
    ]),
    log,
    standIn: (key) => options.samples.endpointsOf(key),
    onMembers: (name) => options.changed(board.membersChanged(name)),
  })
  const board = createBoard({
    push,
    members: (name) => push.members(name),
    statusBefore: () => null,
    now: () => new Date(),
  })
  // Versions of a folder are comparable within one process: each start is an epoch of its own.
  const epoch = Date.now()
  const compiler = createCompiler({ sha256, fingerprint, certificate })
  const walk = startWalk({
    source,
    compile: (snapshot) => compiler.compile(snapshot),
    memory: await folderMemory(state, log),
    push,
    epochs: (snapshot) => new Map([[snapshot.installation.defaultGateway, epoch]]),
    prepare: (compiled) => options.samples.ensure(unresolved(compiled, source.snapshot(new Map()))),
    compiled: (compiled) => options.changed(board.compiled(compiled)),
    log,
  })
  changed = () => walk.changed()
  return {
    port: push.port,
    trust: trustOf(certificates),
    tokenFile,
    get gateway() {
      return gateway()
    },
    source,
    board,
    push,
    walk,
    async close() {
      walk.stop()
      await source.close()
      await push.close()
    },
  }
}

/** A token of its own for every start; whoever reads the state folder may have it. */
async function writeToken(state: string): Promise<string> {
  await mkdir(state, { recursive: true, mode: 0o700 })
  const file = join(state, 'wire-token')
  await writeFile(file, newToken(), { mode: 0o600 })
  return file
}

/** What stands in no file: a gateway where there is none, and what the caller adds. */
function addedBy({ added }: FolderControllerOptions): FolderControllerOptions['added'] {
  return (objectsOf) => [...gatewayWhereNone(objectsOf('ApiGateway')), ...added(objectsOf)]
}

function gatewayWhereNone(gateways: Namespaced): readonly Resource[] {
  const own = [...gateways.values()].flatMap((names) => [...names.values()])
  if (own.some((gateway) => gateway.uid !== FOLDER_GATEWAY_UID)) return []
  const [namespace = '', name = ''] = FOLDER_GATEWAY.split('/')
  const metadata = { namespace, name, uid: FOLDER_GATEWAY_UID, resourceVersion: '1', generation: 1 }
  const spec = { dataPlanes: { serviceAccount: 'fairlead', service: 'fairlead' } }
  return [
    ingest('ApiGateway', {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: 'ApiGateway',
      metadata,
      spec,
    }),
  ]
}

const FOLDER_GATEWAY_UID = 'folder-gateway'

/** Backends of Services that no EndpointSlice of the folder speaks of. */
function unresolved(compiled: Compiled, snapshot: Snapshot): readonly string[] {
  const served = new Set<string>()
  for (const [namespace, slices] of snapshot.kinds.EndpointSlice) {
    for (const slice of slices.values()) {
      served.add(`${namespace}/${slice.labels['kubernetes.io/service-name'] ?? ''}`)
    }
  }
  const keys = new Set<string>()
  for (const { objects } of compiled.tables.values()) {
    for (const object of objects.values()) {
      if (object.kind === 'backend' && !served.has(object.key.replace(/:[^:]*$/, '')))
        keys.add(object.key)
    }
  }
  return [...keys]
}
