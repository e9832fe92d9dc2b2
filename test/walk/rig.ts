/**
 * What a golden walk goes through: one controller of a folder and one data plane with one worker, over
 * the real wire and real sockets, for all cases one after the other.
 */
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { get, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { parseAllDocuments } from 'yaml'
import { createSamples } from '../../controller/cli/sample.ts'
import { type FolderController, startFolderController } from '../../controller/folder-controller.ts'
import { type DataPlane, startDataPlane } from '../../dataplane/main.ts'
import type { TableObject } from '#wire/table'
import { type Answer, send, type Sending } from './requests.ts'

export interface Rig {
  readonly controller: FolderController
  /** Takes everything of the case before away, so that nothing of it is remembered. */
  clear(fixtures: string | null): Promise<void>
  /** Resolves when the data plane runs the table of this text, and statuses say so. */
  apply(yaml: string): Promise<void>
  /** What the data plane runs, as its admin socket shows it. */
  table(): Promise<readonly TableObject[]>
  send(requests: readonly Sending[]): Promise<readonly Answer[]>
  close(): Promise<void>
}

const SETTLED_WITHIN_MS = 10_000
const LOOK_EVERY_MS = 2

async function until(what: string, holds: () => unknown): Promise<void> {
  const limit = performance.now() + SETTLED_WITHIN_MS
  while (!(await holds())) {
    assert(performance.now() < limit, `${what}: not within ${SETTLED_WITHIN_MS} ms`)
    await new Promise((done) => setTimeout(done, LOOK_EVERY_MS))
  }
}

export async function startRig(): Promise<Rig> {
  const root = await mkdtemp(join(tmpdir(), 'fl-walk-'))
  const [folder, state, plane] = ['folder', 'controller', 'plane'].map((name) => join(root, name))
  assert(folder !== undefined && state !== undefined && plane !== undefined)
  for (const path of [folder, state, plane]) await mkdir(path, { mode: 0o700 })
  const log = pino({ level: 'silent' })
  const samples = createSamples(folder)
  const controller = await startFolderController({
    folder,
    state,
    added: () => [],
    samples,
    changed: () => undefined,
    log,
  })
  const caFile = join(state, 'ca.crt')
  await writeFile(caFile, controller.trust)
  const dataPlane = await startDataPlane({
    http: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    workers: 1,
    state: plane,
    sync: {
      controllers: [`https://localhost:${controller.port}`],
      caFile,
      tokenFile: controller.tokenFile,
      name: 'walk',
    },
    accessLog: 'off',
    loopback: 'allow',
    kill: () => undefined,
    log,
  })
  await dataPlane.ready
  const places = { folder, socket: join(plane, 'admin.sock') }
  return new Running(controller, dataPlane, places, async () => {
    await dataPlane.close(0)
    await controller.close()
    await samples.close()
    await rm(root, { recursive: true })
  })
}

interface Places {
  readonly folder: string
  readonly socket: string
}

class Running implements Rig {
  readonly controller: FolderController
  readonly close: () => Promise<void>
  readonly #plane: DataPlane
  readonly #places: Places
  #steps = 0

  constructor(
    controller: FolderController,
    plane: DataPlane,
    places: Places,
    close: () => Promise<void>,
  ) {
    this.controller = controller
    this.close = close
    this.#plane = plane
    this.#places = places
  }

  async clear(fixtures: string | null): Promise<void> {
    const own = join(this.#places.folder, 'fixtures')
    await rm(own, { recursive: true, force: true })
    if (fixtures !== null) await cp(fixtures, own, { recursive: true })
    await this.#write('')
    await this.controller.walk.settled()
  }

  async apply(yaml: string): Promise<void> {
    await this.#write(yaml)
    const { board, push, walk } = this.controller
    await walk.settled()
    const { gateway } = this.controller
    await until('the data plane runs the newest table', () => {
      const newest = push.newest(gateway)
      return push.members(gateway).some(({ version }) => version === newest)
    })
    const isReconciling = (id: string): boolean =>
      board.status(id)?.conditions.some(({ reason }) => reason === 'Reconciling') ?? false
    const reconciling = (): string[] => [...board.verdicts().keys()].filter(isReconciling)
    await until('statuses say what runs', () => reconciling().length === 0).catch(() =>
      assert.deepEqual(reconciling(), [], 'these objects never become Programmed'),
    )
  }

  /**
   * A namespace that no other step has ends the file: once it is there, all of it was read. Of a file
   * that is no YAML nothing is taken, which is told.
   */
  async #write(yaml: string): Promise<void> {
    this.#steps += 1
    const mark = `walk-step-${this.#steps}`
    const file = join(this.#places.folder, 'in.yaml')
    const end = `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: ${mark} }\n`
    await writeFile(`${file}.tmp`, `${yaml}${end}`)
    await rename(`${file}.tmp`, file)
    const { source } = this.controller
    const isYaml = parseAllDocuments(yaml).every(
      (document) => !('errors' in document) || document.errors.length === 0,
    )
    await until('the folder is read', () =>
      isYaml ? source.current('Namespace', '', mark) !== null : source.problems().length > 0,
    )
  }

  async table(): Promise<readonly TableObject[]> {
    const text = await read({ socketPath: this.#places.socket, path: '/table' })
    return (JSON.parse(text) as { objects: readonly TableObject[] }).objects
  }

  async send(requests: readonly Sending[]): Promise<readonly Answer[]> {
    const answers: Promise<Answer>[] = []
    for (const { when, bytes } of requests) {
      if (when === 'then') await Promise.all(answers)
      else await until('one before it is being served', () => this.#serving())
      answers.push(send(this.#plane.address.port, bytes))
    }
    return Promise.all(answers)
  }

  async #serving(): Promise<boolean> {
    const { port } = this.#plane.probeAddress
    const metrics = await read({ host: '127.0.0.1', port: String(port), path: '/metrics' })
    return /^fairlead_requests_in_flight [1-9]/m.test(metrics)
  }
}

function read(target: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    get(target, (response) => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}
