/**
 * A whole gateway from a folder in this process: controller, wire, data plane with real workers and
 * sockets. What `fairlead dev` runs, without its words; it can be ended and started again.
 */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createSamples } from '../../controller/cli/sample.ts'
import { type FolderController, startFolderController } from '../../controller/folder-controller.ts'
import { type DataPlane, startDataPlane } from '../../dataplane/main.ts'

const silent = { info() {}, warn() {}, error() {} }

export interface FolderGateway {
  readonly folder: string
  readonly url: string
  readonly controller: FolderController
  readonly dataPlane: DataPlane
  /** A file of the folder, written aside and renamed. */
  write(file: string, text: string): Promise<void>
  /** Every worker runs the newest table, and the folder has nothing more to say. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export interface GatewayPlace {
  readonly root: string
  /** Kept over a restart, so that clients come back to it; 0: any. */
  readonly port: number
  readonly workers: number
}

export async function gatewayPlace(t: TestContext): Promise<GatewayPlace> {
  const root = await mkdtemp(join(tmpdir(), 'fairlead-gateway-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  return placeIn(root, 2)
}

export async function placeIn(root: string, workers: number): Promise<GatewayPlace> {
  for (const name of ['folder', 'controller', 'plane'])
    await mkdir(join(root, name), { mode: 0o700 })
  return { root, port: 0, workers }
}

export async function startFolderGateway(place: GatewayPlace): Promise<FolderGateway> {
  const folder = join(place.root, 'folder')
  const state = join(place.root, 'controller')
  const samples = createSamples(folder)
  const controller = await startFolderController({
    folder,
    state,
    added: () => [],
    samples,
    changed: () => undefined,
    log: silent,
  })
  const caFile = join(state, 'ca.crt')
  await writeFile(caFile, controller.trust)
  const dataPlane = await startDataPlane({
    http: { host: '127.0.0.1', port: place.port },
    https: null,
    admin: { host: '127.0.0.1', port: 0 },
    listeners: 'held',
    workers: place.workers,
    state: join(place.root, 'plane'),
    sync: {
      controllers: [`https://localhost:${controller.port}`],
      caFile,
      tokenFile: controller.tokenFile,
      name: 'test',
    },
    accessLog: 'off',
    loopback: 'allow',
    kill: () => undefined,
    memoryBytes: null,
    log: silent,
  })
  await dataPlane.ready
  return {
    folder,
    url: `http://127.0.0.1:${dataPlane.address.port}`,
    controller,
    dataPlane,
    write: (file, text) => writeAside(folder, file, text),
    settled: () => settled(controller),
    async stop() {
      await dataPlane.close(0)
      await controller.close()
      await samples.close()
    },
  }
}

async function writeAside(folder: string, file: string, text: string): Promise<void> {
  await writeFile(join(folder, `${file}.tmp`), text)
  await rename(join(folder, `${file}.tmp`), join(folder, file))
}

const SETTLED_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 5

export async function until(what: string, holds: () => unknown): Promise<void> {
  const limit = performance.now() + SETTLED_WITHIN_MS
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`not within ${SETTLED_WITHIN_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

async function settled({ push, gateway, walk }: FolderController): Promise<void> {
  await walk.settled()
  await until('the data plane runs the newest table', () => {
    const newest = push.newest(gateway)
    const members = push.members(gateway)
    return members.length > 0 && members.every(({ version }) => version === newest)
  })
}
