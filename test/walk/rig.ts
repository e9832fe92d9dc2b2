/**
 * What a golden walk goes through: one controller of a folder and one data plane with one worker, over
 * the real wire and real sockets, for all cases one after the other.
 */
import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { get, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { FolderController } from '../../controller/folder-controller.ts'
import type { TableObject } from '#wire/table'
import { type FolderGateway, placeIn, startFolderGateway, until } from '../fake/folder-gateway.ts'
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

export async function startRig(): Promise<Rig> {
  const root = await mkdtemp(join(tmpdir(), 'fl-walk-'))
  const gateway = await startFolderGateway(await placeIn(root, 1))
  return new Running(gateway, join(root, 'plane', 'admin.sock'), async () => {
    await gateway.stop()
    await rm(root, { recursive: true })
  })
}

class Running implements Rig {
  readonly controller: FolderController
  readonly close: () => Promise<void>
  readonly #gateway: FolderGateway
  readonly #socket: string
  #steps = 0

  constructor(gateway: FolderGateway, socket: string, close: () => Promise<void>) {
    this.controller = gateway.controller
    this.close = close
    this.#gateway = gateway
    this.#socket = socket
  }

  async clear(fixtures: string | null): Promise<void> {
    const own = join(this.#gateway.folder, 'fixtures')
    await rm(own, { recursive: true, force: true })
    if (fixtures !== null) await cp(fixtures, own, { recursive: true })
    await this.#write('')
    await this.controller.walk.settled()
  }

  async apply(yaml: string): Promise<void> {
    await this.#write(yaml)
    await this.#gateway.settled()
    const { board } = this.controller
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
    const end = `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: ${mark} }\n`
    await this.#gateway.write('in.yaml', `${yaml}${end}`)
    const { source } = this.controller
    const isYaml = parseAllDocuments(yaml).every(
      (document) => !('errors' in document) || document.errors.length === 0,
    )
    await until('the folder is read', () =>
      isYaml ? source.current('Namespace', '', mark) !== null : source.problems().length > 0,
    )
  }

  async table(): Promise<readonly TableObject[]> {
    const text = await read({ socketPath: this.#socket, path: '/table' })
    return (JSON.parse(text) as { objects: readonly TableObject[] }).objects
  }

  async send(requests: readonly Sending[]): Promise<readonly Answer[]> {
    const answers: Promise<Answer>[] = []
    for (const { when, bytes } of requests) {
      if (when === 'then') await Promise.all(answers)
      else await until('one before it is being served', () => this.#serving())
      answers.push(send(this.#gateway.dataPlane.address.port, bytes))
    }
    return Promise.all(answers)
  }

  async #serving(): Promise<boolean> {
    const { port } = this.#gateway.dataPlane.probeAddress
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
