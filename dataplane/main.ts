/**
 * The composition root of a data plane: the main thread with everything that serves no traffic, and
 * the workers that do. `fairlead dataplane` and `fairlead dev` start it; it reads no environment.
 * Pinned by main.test.ts: "it is ready when every worker serves, and says so until it drains".
 */
import { randomBytes, randomFillSync } from 'node:crypto'
import { flushCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { type Gateway, objectId } from '#wire/table'
import { bindOnce, usable } from './addresses.ts'
import { AdminServer, json, text } from './admin.ts'
import { monotonicMs } from './clock.ts'
import { Egress } from './egress.ts'
import { LimitKeeper, SWEEP_EVERY_MS } from './limits/keeper.ts'
import { createLimitMemory, type LimitMemory } from './limits/shared.ts'
import { connectionsMax, descriptorLimit } from './descriptors.ts'
import {
  bytesHeld,
  LOOK_AT_MEMORY_EVERY_MS,
  MemoryBoard,
  MemoryKeeper,
  memoryLimit,
} from './memory.ts'
import { Metrics } from './metrics.ts'
import { KeyKeeper } from './sync/keys.ts'
import { keySourcesOf } from './sync/keys-message.ts'
import type { Logger, TableChange, Workers } from './sync/port.ts'
import { startSync, type Sync, type SyncOptions } from './sync/sync.ts'
import { type AccessLog, NO_LOG, openStdout } from './access-log.ts'
import { columnsOf, Threads } from './threads.ts'
import { createUpstreamMemory, type UpstreamMemory } from './upstream/counts.ts'
import { LOOK_AT_OUTLIERS_EVERY_MS, OutlierKeeper } from './upstream/outliers.ts'
import { Places } from './upstream/places.ts'
import { ListenerCheck, touches } from './listeners.ts'
import type { HttpsListener } from './worker-protocol.ts'

/** What the other workers have, when one of them can only be ended with the process. */
const STUCK_GRACE_MS = 5_000
/** A unix socket's path must fit into its address. */
const SOCKET_PATH_MAX = 100

/** As OpenSSL wants them; whoever has them reads what was recorded, so they do not live long. */
const TICKET_KEYS_BYTES = 48
const TICKET_KEYS_MS = 12 * 3_600_000

export interface DataPlaneOptions {
  readonly http: { readonly host: string; readonly port: number }
  /** Null: no TLS is spoken here. */
  readonly https: Omit<HttpsListener, 'ticketKeys'> | null
  /** The probe port. */
  readonly admin: { readonly host: string; readonly port: number }
  /** ignored: in `fairlead dev`, whose ports are whatever is free there. */
  readonly listeners: 'held' | 'ignored'
  readonly workers: number
  /** Folder (0700); null: nothing is kept. */
  readonly state: string | null
  readonly sync: Pick<
    SyncOptions,
    'controllers' | 'caFile' | 'tokenFile' | 'name' | 'secretsState' | 'timings'
  >
  readonly accessLog: 'stdout' | 'off'
  /** What requests are refused near to; null: the limit of the cgroup, if there is one. */
  readonly memoryBytes: number | null
  /** allow: in `fairlead dev`, whose issuers may run beside it. */
  readonly loopback: 'allow' | 'refuse'
  readonly log: Logger
  /** A thread hangs in native code: the end of the process would wait for it, a kill does not. */
  kill(): void
  /** What the workers run; tests have some that misbehave. */
  readonly worker?: URL
}

export interface DataPlane {
  readonly address: AddressInfo
  readonly httpsAddress: AddressInfo | null
  readonly probeAddress: AddressInfo
  /** Every worker serves the table that a controller offers, or one from disk. */
  readonly ready: Promise<void>
  /** Of the process, after `close` or when nothing else helps. */
  readonly exited: Promise<number>
  close(graceMs: number): Promise<void>
}

export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const plane = new Plane(options)
  await plane.start()
  return plane
}

class Plane implements DataPlane {
  readonly exited: Promise<number>
  readonly ready: Promise<void>
  address: AddressInfo = { address: '', family: '', port: 0 }
  httpsAddress: AddressInfo | null = null
  probeAddress: AddressInfo = { address: '', family: '', port: 0 }
  readonly #options: DataPlaneOptions
  readonly #metrics: Metrics
  readonly #limits: LimitKeeper
  readonly #limitMemory: LimitMemory
  readonly #upstreamMemory: UpstreamMemory
  readonly #places: Places
  readonly #outliers: OutlierKeeper
  readonly #workerCount: number
  readonly #keys: KeyKeeper
  readonly #accessLog: AccessLog
  readonly #exit: (code: number) => void
  readonly #isReady: () => void
  readonly #sweep: NodeJS.Timeout
  readonly #judging: NodeJS.Timeout
  readonly #board: MemoryBoard
  readonly #memory: MemoryKeeper
  readonly #looks: NodeJS.Timeout
  readonly #rotation: NodeJS.Timeout
  /** Changed in place, so that a new worker starts with those of today. */
  readonly #ticketKeys = randomFillSync(new Uint8Array(TICKET_KEYS_BYTES))
  #threads: Threads | null = null
  #sync: Sync | null = null
  #probe: AdminServer | null = null
  #adminSocket: AdminServer | null = null
  #phase: 'starting' | 'serving' | 'draining' = 'starting'
  #closed: Promise<void> | null = null

  constructor(options: DataPlaneOptions) {
    this.#options = options
    const exited = Promise.withResolvers<number>()
    this.exited = exited.promise
    this.#exit = exited.resolve
    const ready = Promise.withResolvers<void>()
    this.ready = ready.promise
    this.#isReady = ready.resolve
    this.#metrics = new Metrics(() => ({
      ...(this.#threads?.facts ?? { workers: options.workers, workersReady: 0, workerRestarts: 0 }),
      ready: this.#readiness() === 'ready' ? 1 : 0,
      memoryUsed: this.#memory.used,
      memoryLimit: this.#memory.limit,
      memoryPressure: this.#memory.pressure,
      endpointsOut: this.#outliers.out,
    }))
    this.#accessLog = options.accessLog === 'off' ? NO_LOG : openStdout(this.#metrics)
    // Without reusePort (macOS, Windows) a second listener is refused.
    this.#workerCount = process.platform === 'linux' ? options.workers : 1
    const secret = [...new Uint32Array(new Uint8Array(randomBytes(16)).buffer)]
    this.#limitMemory = createLimitMemory({ columns: columnsOf(this.#workerCount) }, secret)
    this.#limits = new LimitKeeper(this.#limitMemory)
    this.#upstreamMemory = createUpstreamMemory(columnsOf(this.#workerCount))
    this.#places = new Places(this.#upstreamMemory, monotonicMs)
    this.#outliers = new OutlierKeeper(this.#upstreamMemory, monotonicMs)
    this.#judging = setInterval(() => this.#outliers.look(), LOOK_AT_OUTLIERS_EVERY_MS)
    this.#judging.unref()
    this.#sweep = setInterval(() => this.#limits.sweep(), SWEEP_EVERY_MS)
    this.#sweep.unref()
    this.#board = MemoryBoard.for(columnsOf(this.#workerCount))
    this.#memory = new MemoryKeeper({
      board: this.#board,
      limitBytes: memoryLimit(options.memoryBytes, process.constrainedMemory(), totalmem()),
      resident: () => process.memoryUsage.rss(),
      held: bytesHeld,
    })
    this.#looks = setInterval(() => this.#memory.look(), LOOK_AT_MEMORY_EVERY_MS)
    this.#looks.unref()
    this.#keys = this.#newKeyKeeper()
    this.#rotation = setInterval(() => {
      this.#threads?.ticketKeys(randomFillSync(this.#ticketKeys))
    }, TICKET_KEYS_MS)
    this.#rotation.unref()
  }

  #newKeyKeeper(): KeyKeeper {
    const { state, loopback, log } = this.#options
    const ownPorts = (): number[] =>
      [this.address, this.probeAddress, this.httpsAddress].flatMap((one) => one?.port ?? [])
    return new KeyKeeper({
      egress: new Egress({ loopback, ownPorts }),
      folder: state === null ? null : join(state, 'keys'),
      publish: (sets) => this.#threads?.keySets(sets),
      log,
    })
  }

  // ---- start ---------------------------------------------------------------------------------

  async start(): Promise<void> {
    const { http, admin, log, workers } = this.#options
    if (process.platform !== 'linux' && workers > 1) {
      log.warn({ workers }, 'only one worker can listen on this system: one is started')
    }
    try {
      this.address = await bindOnce(http.host, http.port)
      this.#probe = this.#newProbe()
      this.probeAddress = await usable(admin.host, admin.port, this.#probe)
      this.#threads = this.#newThreads(this.address.port, await this.#bindHttps())
      // The code of the workers is loaded while the first table is on its way.
      const starting = this.#threads.start()
      ;[this.#sync] = await Promise.all([this.#startSync(this.#threads), starting])
      await this.#openSocket()
    } catch (error) {
      // Threads that are still loading end late, but end: the reason must be told all the same.
      await this.#shut(0)
      throw error
    }
    void this.#sync.ready.then(() => this.#open())
  }

  async #open(): Promise<void> {
    await this.#threads?.open()
    if (this.#phase === 'starting') this.#phase = 'serving'
    this.#isReady()
    flushCompileCache()
  }

  async #bindHttps(): Promise<HttpsListener | null> {
    const { https } = this.#options
    if (https === null) return null
    this.httpsAddress = await bindOnce(https.host, https.port)
    const { port } = this.httpsAddress
    return { ...https, port, ticketKeys: this.#ticketKeys }
  }

  #newThreads(port: number, https: HttpsListener | null): Threads {
    const { accessLog, http, log } = this.#options
    return new Threads({
      workers: this.#workerCount,
      start: {
        host: http.host,
        port,
        sharing: process.platform === 'linux' ? 'reusePort' : 'alone',
        https,
        limits: this.#limitMemory,
        memory: this.#board.shared,
        connectionsMax: connectionsMax(descriptorLimit(), this.#workerCount),
        upstream: this.#upstreamMemory,
        accessLog: accessLog === 'off' ? 'off' : 'on',
      },
      metrics: this.#metrics,
      log,
      accessLog: (lines) => this.#accessLog.write(lines),
      unknownKey: (keySet) => this.#keys.unknownKey(keySet),
      keySets: () => this.#keys.sets(),
      places: {
        place: (set) => {
          const placed = this.#places.place(set)
          this.#outliers.endpoints(placed)
          return placed
        },
        keep: (backends) => {
          this.#places.keep(backends)
          this.#outliers.keep(backends)
        },
      },
      columnFreed: (column) => {
        this.#limits.freeColumn(column)
        this.#board.holds(column, 0)
        this.#places.freeColumn(column)
      },
      stuck: () => this.#stuck(),
      ...(this.#options.worker === undefined ? {} : { script: this.#options.worker }),
      // A table from disk may be looser than what is offered: it answers where nothing is.
      door: 'closed',
    })
  }

  #startSync(threads: Threads): Promise<Sync> {
    const { state, log, sync } = this.#options
    const own = { http: this.address.port, https: this.httpsAddress?.port ?? null }
    const listeners = new ListenerCheck(this.#options.listeners === 'held' ? own : null)
    const workers: Workers = {
      swap: async (change) => {
        await this.#wantKeys(change, threads)
        const rejections = await threads.swap(change)
        this.#outliers.changed(change)
        return [...listeners.after(change, threads.objects.values()), ...rejections]
      },
      endpoints: (sets) => threads.endpoints(sets),
    }
    return startSync({ ...sync, state, workers, log })
  }

  /** Keys that the disk knows are with the workers before the rules that need them. */
  async #wantKeys(change: TableChange, threads: Threads): Promise<void> {
    if (touches(change, 'authenticate') === 'no' && touches(change, 'gateway') === 'no') return
    const after = new Map(change.from === 'snapshot' ? [] : threads.objects)
    for (const { kind, key } of change.drops) after.delete(objectId(kind, key))
    for (const object of change.puts) after.set(objectId(object.kind, object.key), object)
    const gateways: Gateway[] = []
    for (const object of after.values()) if (object.kind === 'gateway') gateways.push(object.value)
    const allow = gateways.flatMap(({ egressAllow }) => egressAllow)
    await this.#keys.want(keySourcesOf(after.values()), allow)
  }

  // ---- what is asked about it ----------------------------------------------------------------

  #readiness(): 'ready' | 'starting' | 'draining' {
    if (this.#phase === 'draining') return 'draining'
    const facts = this.#threads?.facts
    if (this.#phase === 'starting' || facts === undefined) return 'starting'
    // A worker that is being replaced takes no traffic away from the others.
    return facts.workersServing > 0 ? 'ready' : 'starting'
  }

  #newProbe(): AdminServer {
    return new AdminServer({
      '/livez': () => text(200, 'ok'),
      '/readyz': () => {
        const readiness = this.#readiness()
        return text(readiness === 'ready' ? 200 : 503, readiness)
      },
      '/metrics': async () => {
        const { contentType, text: metrics } = await this.#metrics.render()
        return { status: 200, contentType, text: metrics }
      },
    })
  }

  async #openSocket(): Promise<void> {
    const { state, log } = this.#options
    if (state === null) return
    const path = join(state, 'admin.sock')
    if (path.length > SOCKET_PATH_MAX) {
      return log.warn({ path }, 'the state folder has too long a path for an admin socket')
    }
    this.#adminSocket = new AdminServer({
      '/table': () => json(this.#table()),
      '/workers': () => json(this.#workers()),
      '/sync': () => json(this.#syncState()),
    })
    await this.#adminSocket.listenAt(path)
  }

  /** Without what must not be printed. */
  #table(): object {
    const objects = [...(this.#threads?.objects.values() ?? [])].map((object) =>
      object.kind === 'secret' ? { ...object, value: { redacted: true }, digest: null } : object,
    )
    return { hash: this.#threads?.hash ?? null, objects }
  }

  #workers(): object {
    const threads = this.#threads?.threads ?? []
    return threads.map(({ id, column, state }) => ({ id, column, state }))
  }

  #syncState(): object {
    const state = this.#sync?.state()
    if (state === undefined) return { readiness: 'waiting' }
    const { readiness, because, hash, reached, rejected, from, stream, gateway } = state
    return { readiness, because, hash, reached, rejected, from, stream, gateway }
  }

  // ---- the end -------------------------------------------------------------------------------

  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs, 0)
    return this.#closed
  }

  async #close(graceMs: number, code: number): Promise<void> {
    if ((await this.#shut(graceMs)) === 'stuck') this.#options.kill()
    this.#exit(code)
  }

  async #shut(graceMs: number): Promise<'ended' | 'stuck'> {
    this.#phase = 'draining'
    const ended = (await this.#threads?.close(graceMs)) ?? 'ended'
    await this.#sync?.close()
    this.#keys.close()
    clearInterval(this.#sweep)
    clearInterval(this.#judging)
    clearInterval(this.#looks)
    clearInterval(this.#rotation)
    await this.#adminSocket?.close()
    await this.#probe?.close()
    const log = await this.#accessLog.close()
    return log === 'stuck' ? 'stuck' : ended
  }

  /** A thread hangs in native code: the others finish what they have, the process starts anew. */
  #stuck(): void {
    if (this.#closed !== null) return
    this.#options.log.error({}, 'a thread cannot be ended: the process ends')
    this.#closed = this.#close(STUCK_GRACE_MS, 1)
  }
}
