/**
 * `fairlead dev DIR`: a controller and a data plane in one process, over the same wire as in a
 * cluster, from a folder of YAML. Prints what became of each object, and again what changes.
 * Pinned by test/dev.test.ts: "the lines that make run prints do what they say".
 */
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { pino } from 'pino'
import type { Verdict } from '../compile/compiled.ts'
import { type FolderController, startFolderController } from '../folder-controller.ts'
import { fileReason } from '../file-reason.ts'
import type { Logger } from '../log.ts'
import { assertFolder } from '../watch/folder.ts'
import { address, https } from './addresses.ts'
import { createDevKeys, type DevKeys } from './dev-keys.ts'
import {
  change,
  fileTroubles,
  heading,
  type Paint,
  routeTable,
  type Shown,
  troubles,
  tryLines,
} from './overview.ts'
import { createSamples, type Samples } from './sample.ts'
import { killOurselves, stopSignal } from './signals.ts'
import { graceMsOf, UsageFailure, type Values } from './values.ts'

/** The overview waits no longer than this for the first acknowledgement. */
const SETTLED_WITHIN_MS = 1_500
/** Statuses that change together are shown together. */
const SHOW_AFTER_MS = 50
/** Whoever presses Ctrl-C waits for requests in flight, but not for idle connections. */
const CTRL_C_GRACE_MS = 1_000

export async function dev(values: Values, folder: string): Promise<number> {
  if (values.has('redis')) throw new UsageFailure('--redis: not supported yet; limits are local')
  await assertFolder(folder).catch((error: unknown) => {
    throw new UsageFailure(sentenceOf(error))
  })
  const state = await prepareState(resolve(values.get('state') ?? join(folder, '.fairlead')))
  const session = new Session(values, folder, state)
  return session.run()
}

/** Errors of the system name their path at the end of a sentence of its own. */
function sentenceOf(error: unknown): string {
  const path = error instanceof Error && 'path' in error ? String(error.path) : null
  return path === null ? fileReason(error) : `cannot use ${path}: ${fileReason(error)}`
}

/** Ours alone: it holds keys. */
async function prepareState(state: string): Promise<string> {
  const there = await stat(state).catch(() => null)
  if (there === null) {
    await mkdir(state, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw new UsageFailure(`--state: cannot make the folder ${state}: ${fileReason(error)}`)
    })
    await chmod(state, 0o700)
    await writeFile(join(state, '.gitignore'), '*\n')
  } else if (!there.isDirectory()) throw new UsageFailure(`--state: ${state} is a file`)
  else if ((there.mode & 0o077) !== 0) {
    throw new UsageFailure(`--state: others can read ${state}; run: chmod 700 ${state}`)
  }
  return state
}

class Session {
  readonly #values: Values
  readonly #folder: string
  readonly #state: string
  readonly #paint: Paint
  readonly #keys: DevKeys
  readonly #samples: Samples
  readonly #log: Logger
  readonly #dirty = new Set<string>()
  readonly #shown = new Map<string, string>()
  #filesShown = ''
  #controller: FolderController | null = null
  #timer: NodeJS.Timeout | null = null
  #announced: 'no' | 'yes' = 'no'

  constructor(values: Values, folder: string, state: string) {
    this.#values = values
    this.#folder = folder
    this.#state = state
    this.#paint = process.stdout.isTTY ? 'colours' : 'plain'
    this.#keys = createDevKeys(state)
    this.#samples = createSamples(folder)
    this.#log = pino({ name: 'fairlead', level: 'warn' }, pino.destination(2))
  }

  async run(): Promise<number> {
    const stopped = stopSignal()
    const controller = await this.#startController()
    await controller.walk.settled()
    if (this.#nothingWorks(controller) && !(await this.#hasLastGoodTable())) {
      this.#print(fileTroubles(controller.source.problems(), this.#paint))
      this.#print(troubles(this.#objects(controller), this.#paint))
      process.stderr.write(`fairlead: ${this.#whyNothing(controller)}\n`)
      await this.#close(controller)
      return 1
    }
    const plane = await this.#startDataPlane(controller)
    await this.#settled(controller, plane.ready)
    if (this.#values.has('quiet')) this.#onlyTroubles(controller)
    else await this.#overview(controller, plane)
    this.#announced = 'yes'
    const ended = await Promise.race([plane.exited, stopped])
    const graceMs = graceMsOf(this.#values)
    await plane.close(ended === 'SIGINT' ? Math.min(graceMs, CTRL_C_GRACE_MS) : graceMs)
    await this.#close(controller)
    return typeof ended === 'number' ? ended : 0
  }

  #startController(): Promise<FolderController> {
    return startFolderController({
      folder: this.#folder,
      state: join(this.#state, 'controller'),
      added: (objectsOf) => this.#keys.resources(objectsOf),
      samples: this.#samples,
      changed: (ids) => this.#changed(ids),
      log: this.#log,
    })
      .then((controller) => {
        this.#controller = controller
        return controller
      })
      .catch((error: unknown) => {
        throw new UsageFailure(sentenceOf(error))
      })
  }

  async #startDataPlane(controller: FolderController) {
    const { AddressUnusable } = await import('../../dataplane/addresses.ts')
    const { startDataPlane } = await import('../../dataplane/main.ts')
    const caFile = join(this.#state, 'controller', 'wire-ca.crt')
    await writeFile(caFile, controller.trust, { mode: 0o600 })
    return startDataPlane({
      http: address(this.#values, 'http'),
      https: https(this.#values),
      admin: address(this.#values, 'admin'),
      listeners: 'ignored',
      workers: Number(this.#values.get('workers') ?? availableParallelism()),
      state: join(this.#state, 'data-plane'),
      sync: {
        controllers: [`https://localhost:${controller.port}`],
        caFile,
        tokenFile: controller.tokenFile,
        name: 'dev',
      },
      accessLog: this.#values.has('quiet') ? 'off' : 'stdout',
      loopback: 'allow',
      kill: killOurselves,
      memoryBytes: null,
      log: this.#log,
    }).catch(async (error: unknown) => {
      await this.#close(controller)
      if (error instanceof AddressUnusable) throw new UsageFailure(error.message)
      throw error
    })
  }

  async #close(controller: FolderController): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await controller.close()
    await this.#samples.close()
  }

  /** No route serves anything: every one is missing or refused as a whole. */
  #nothingWorks({ board }: FolderController): boolean {
    const routes = [...board.verdicts().values()].filter(({ kind }) => kind === 'ApiRoute')
    return routes.every((route) => route.accepted.status === 'False' && route.runs === 'nothing')
  }

  #whyNothing({ board, source }: FolderController): string {
    const isRoute = ({ kind }: Verdict): boolean => kind === 'ApiRoute'
    const isEmpty = !board.verdicts().values().some(isRoute) && source.problems().length === 0
    return isEmpty
      ? `there is no ApiRoute in ${this.#folder}; examples/bookshop shows what one looks like`
      : `nothing in ${this.#folder} works yet; mend the above`
  }

  #hasLastGoodTable(): Promise<boolean> {
    return stat(join(this.#state, 'data-plane', 'table.ndjson')).then(
      () => true,
      () => false,
    )
  }

  // ---- what is shown ------------------------------------------------------------------------

  async #settled(controller: FolderController, ready: Promise<void>): Promise<void> {
    const enough = new Promise((done) => setTimeout(done, SETTLED_WITHIN_MS).unref())
    await Promise.race([ready.then(() => this.#programmed(controller)), enough])
  }

  async #programmed(controller: FolderController): Promise<void> {
    while (this.#objects(controller).some((object) => isReconciling(object))) {
      await new Promise((done) => setTimeout(done, 10))
    }
  }

  async #overview(controller: FolderController, plane: Listening): Promise<void> {
    const http = urlOf(plane.address)
    const objects = this.#objects(controller)
    this.#print(
      heading({ folder: this.#folder, http, admin: urlOf(plane.probeAddress) }, this.#paint),
    )
    this.#print(`\n${routeTable(objects, this.#paint)}`)
    const files = fileTroubles(controller.source.problems(), this.#paint)
    const wrong = files + troubles(objects, this.#paint)
    if (wrong !== '') this.#print(`\n${wrong}`)
    const lines = await readFile(join(this.#folder, 'try.txt'), 'utf8').catch(() => null)
    if (lines !== null)
      this.#print(`\nTo try, in another terminal:\n${indented(this.#filled(lines, http))}`)
    for (const object of objects) {
      this.#shown.set(
        idOf(object.verdict),
        `${object.verdict.generation} ${change(object, 'plain')}`,
      )
    }
    this.#filesShown = files
  }

  /** Whoever wants it quiet still wants to know what does not work. */
  #onlyTroubles(controller: FolderController): void {
    this.#filesShown = fileTroubles(controller.source.problems(), this.#paint)
    this.#print(this.#filesShown + troubles(this.#objects(controller), this.#paint))
  }

  #filled(lines: string, url: string): string {
    const keys = [...this.#keys.keys].map(([consumer, key]) => [`key/${consumer}`, key] as const)
    return tryLines(lines, { url, folder: this.#folder, ...Object.fromEntries(keys) })
  }

  #changed(ids: Iterable<string>): void {
    for (const id of ids) this.#dirty.add(id)
    this.#timer ??= setTimeout(() => this.#show(), SHOW_AFTER_MS)
  }

  #show(): void {
    this.#timer = null
    const controller = this.#controller
    if (controller === null || this.#announced === 'no') return
    this.#showFiles(controller)
    for (const id of this.#dirty) this.#showObject(controller, id)
  }

  /** Whoever is still on the way is shown when it has arrived. */
  #showObject(controller: FolderController, id: string): void {
    const object = this.#object(controller, id)
    if (object !== null && isReconciling(object)) return
    this.#dirty.delete(id)
    if (object === null) {
      if (this.#shown.delete(id) && !this.#values.has('quiet')) this.#print(`${id}: removed\n`)
      return
    }
    const said = `${object.verdict.generation} ${change(object, 'plain')}`
    if (this.#shown.get(id) === said) return
    this.#shown.set(id, said)
    const quiet = this.#values.has('quiet')
    this.#print(quiet ? troubles([object], this.#paint) : change(object, this.#paint))
  }

  #showFiles(controller: FolderController): void {
    const files = fileTroubles(controller.source.problems(), this.#paint)
    if (files === this.#filesShown) return
    this.#filesShown = files
    this.#print(files === '' ? 'Every file can be read again.\n' : files)
  }

  #objects(controller: FolderController): readonly Shown[] {
    return [...controller.board.verdicts().keys()].flatMap(
      (id) => this.#object(controller, id) ?? [],
    )
  }

  #object({ board, source }: FolderController, id: string): Shown | null {
    const verdict = board.verdict(id)
    const status = board.status(id)
    if (verdict === null || status === null) return null
    const { namespace, name } = verdict
    const kind = source.kindOf(verdict.kind)
    const locate = (path: string): string | null =>
      kind === null ? null : source.locate(kind, namespace, name, path)
    return { verdict, status, locate }
  }

  #print(text: string): void {
    process.stdout.write(text)
  }
}

interface Listening {
  readonly address: { readonly address: string; readonly port: number }
  readonly probeAddress: { readonly address: string; readonly port: number }
}

function urlOf({ address: host, port }: Listening['address']): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isReconciling({ status }: Shown): boolean {
  return status.conditions.some(({ reason }) => reason === 'Reconciling')
}

function idOf({ kind, namespace, name }: Verdict): string {
  return `${kind} ${namespace}/${name}`
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}
