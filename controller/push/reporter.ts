/**
 * Tells the leader what this controller's data planes run, over one stream that is opened whenever
 * somebody else leads: any controller serves any data plane, and one of them writes the statuses.
 * Pinned by test/wire/replicas.test.ts: "what a controller knows of its data planes, the leader knows".
 */
import { readFile } from 'node:fs/promises'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import type { Logger } from '../log.ts'
import { REPLICA_PATH } from './door.ts'
import { type CarriedResource, reportLines, type ReportFrame } from './report.ts'
import type { Member } from './tally.ts'

/** What of push is told. */
export interface OwnTables {
  gateways(): Iterable<string>
  members(gateway: string): readonly Member[]
  newest(gateway: string): number | null
  carriedAfter(gateway: string, version: number): Iterable<CarriedResource>
}

export interface ReporterOptions {
  /** Of this replica in the Lease. */
  readonly name: string
  /** `host:port` of whoever leads; null: nobody else does. */
  readonly leader: () => string | null
  /** PEM of the wire's authorities. */
  readonly trust: () => string
  /** A name in the leader's certificate, which does not have its address. */
  readonly servername: string
  /** Of our own account, for the audience of the wire. */
  readonly tokenFile: string
  readonly own: OwnTables
  readonly log: Logger
}

export interface Reporter {
  /** Tables, members, or who leads may have changed. */
  changed(): void
  close(): void
}

const LOOK_EVERY_MS = 1_000
/** A hundred acknowledgements of one commit are told together. */
const TOGETHER_MS = 20
const PING_EVERY_MS = 5_000
const SILENCE_MS = 15_000

export function startReporter(options: ReporterOptions): Reporter {
  return new Reporting(options)
}

class Reporting implements Reporter {
  readonly #options: ReporterOptions
  readonly #timer: NodeJS.Timeout
  #telling: Telling | null = null
  #leader: string | null = null
  #soon: NodeJS.Timeout | null = null
  #failures = 0

  constructor(options: ReporterOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  changed(): void {
    if (this.#soon !== null) return
    this.#soon = setTimeout(() => {
      this.#soon = null
      this.#look()
      this.#telling?.tell()
    }, TOGETHER_MS)
    this.#soon.unref()
  }

  close(): void {
    clearInterval(this.#timer)
    if (this.#soon !== null) clearTimeout(this.#soon)
    this.#telling?.end()
  }

  #look(): void {
    const leader = this.#options.leader()
    if (leader === this.#leader && (leader === null || this.#telling !== null)) return
    this.#telling?.end()
    this.#telling = null
    this.#leader = leader
    if (leader !== null) this.#begin(leader)
  }

  #begin(leader: string): void {
    const telling = new Telling(leader, this.#options)
    this.#telling = telling
    telling.over.then(
      (because) => this.#ended(telling, because),
      (error: unknown) => this.#ended(telling, String(error)),
    )
  }

  #ended(telling: Telling, because: string): void {
    if (this.#telling !== telling) return
    this.#telling = null
    this.#failures = telling.was === 'open' ? 1 : this.#failures + 1
    // Powers of two: a leader that cannot be reached for an hour is some ten lines.
    if ((this.#failures & (this.#failures - 1)) === 0) {
      this.#options.log.warn({ leader: this.#leader }, `the leader is not told: ${because}`)
    }
  }
}

class Telling {
  readonly over: Promise<string>
  was: 'refused' | 'open' = 'refused'
  readonly #options: ReporterOptions
  readonly #over = Promise.withResolvers<string>()
  /** By gateway: the newest version whose resources were told, and the last frame of members. */
  readonly #told = new Map<string, { version: number; members: string }>()
  #session: ClientHttp2Session | null = null
  #stream: ClientHttp2Stream | null = null
  #silence: NodeJS.Timeout | null = null

  constructor(leader: string, options: ReporterOptions) {
    this.#options = options
    this.over = this.#over.promise
    this.#open(leader).catch((error: unknown) => {
      this.#finish(error instanceof Error ? error.message : String(error))
    })
  }

  async #open(leader: string): Promise<void> {
    const { tokenFile, trust, servername } = this.#options
    const token = (await readFile(tokenFile, 'utf8')).trim()
    const session = connect(`https://${leader}`, {
      ca: trust(),
      ...(isIP(servername) === 0 ? { servername } : {}),
      checkServerIdentity: (_, certificate) => checkServerIdentity(servername, certificate),
      minVersion: 'TLSv1.3',
      settings: { enablePush: false },
    })
    this.#session = session
    this.#silence = watchSilence(session)
    session.on('error', (error) => this.#finish(error.message))
    session.on('close', () => this.#finish('the leader ended it'))
    const stream = session.request(
      { ':method': 'POST', ':path': REPLICA_PATH, authorization: `Bearer ${token}` },
      { endStream: false },
    )
    stream.on('error', (error) => this.#finish(error.message))
    stream.on('response', (headers) => {
      if (headers[':status'] === 200) this.#welcome(stream)
      else this.#finish(`it answered ${String(headers[':status'])}`)
    })
    stream.resume()
  }

  #welcome(stream: ClientHttp2Stream): void {
    this.was = 'open'
    this.#stream = stream
    this.#write({ type: 'hello', replica: this.#options.name })
    this.tell()
  }

  /** What has changed since it was last told. */
  tell(): void {
    const stream = this.#stream
    if (stream === null || stream.destroyed) return
    if (stream.writableNeedDrain) {
      stream.once('drain', () => this.tell())
      return
    }
    for (const gateway of this.#options.own.gateways()) this.#tellOf(gateway)
  }

  #tellOf(gateway: string): void {
    const { own } = this.#options
    const newest = own.newest(gateway) ?? 0
    const known = this.#told.get(gateway)
    // A gateway that was made anew counts from the beginning.
    const version = known === undefined || known.version > newest ? 0 : known.version
    const resources = version === newest ? [] : [...own.carriedAfter(gateway, version)]
    if (resources.length > 0) this.#write({ type: 'carried', gateway, resources })
    const members = own
      .members(gateway)
      .map(({ dataPlane, connectedAtMs, version: runs, rejected, refused }) => ({
        dataPlane,
        connectedAtMs,
        version: runs,
        rejected,
        refused,
      }))
    const frame: ReportFrame = { type: 'members', gateway, newest, members }
    const text = JSON.stringify(frame)
    if (text !== known?.members) this.#write(frame)
    this.#told.set(gateway, { version: newest, members: text })
  }

  #write(frame: ReportFrame): void {
    for (const line of reportLines(frame)) this.#stream?.write(line)
  }

  end(): void {
    this.#finish('somebody else leads')
  }

  #finish(because: string): void {
    if (this.#silence !== null) clearInterval(this.#silence)
    this.#session?.destroy()
    this.#over.resolve(because)
  }
}

function watchSilence(session: ClientHttp2Session): NodeJS.Timeout {
  let heardAtMs = performance.now()
  const timer = setInterval(() => {
    if (session.destroyed) return
    if (performance.now() - heardAtMs > SILENCE_MS) {
      session.destroy(new Error('it fell silent'))
      return
    }
    if (session.connecting) return
    session.ping((error) => {
      if (error === null) heardAtMs = performance.now()
    })
  }, PING_EVERY_MS)
  timer.unref()
  return timer
}
