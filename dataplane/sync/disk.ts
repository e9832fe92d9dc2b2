/**
 * The last good table on disk, so that a data plane which starts without a controller serves what it
 * served before. The secrets have a file of their own, and so have the endpoints, which change often
 * and grow old. What is damaged is set aside and said in the log; it is never fatal.
 * Pinned by disk.test.ts: "a file cut at any byte is set aside, and nothing of it is used".
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Reached } from '#wire/basis'
import { check, checkObject } from '#wire/check'
import type { Decoded } from '#wire/check'
import { basis, decodeWith, endpointSet, epoch, hash } from '#wire/decode'
import { xorOf } from '#wire/digest'
import { FRAME_BYTES_MAX } from '#wire/limits'
import type { EndpointSet } from '#wire/session'
import { integer, literal, nullable, object, pattern } from '#wire/shape'
import type { Shape } from '#wire/shape'
import { objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import { digestOf } from './held.ts'
import type { Logger } from './port.ts'
import { codeOf, readLines, writeLines } from './state-file.ts'

/** One moment of what runs. */
export interface StoredTable {
  readonly objects: readonly TableObject[]
  readonly hash: string
  readonly reached: Reached
}

export interface StoredEndpoints {
  /** When they were last known to be right. */
  readonly atMs: number
  readonly sets: readonly EndpointSet[]
}

export interface Disk {
  /** Null: there is none that can be used. */
  readTable(): Promise<StoredTable | null>
  readEndpoints(): Promise<StoredEndpoints | null>
  writeTable(table: StoredTable): Promise<void>
  writeEndpoints(endpoints: StoredEndpoints): Promise<void>
}

/** A mistake of the operator, to be said in one line before anything starts. */
export class StateFolderRefused extends Error {
  override readonly name = 'StateFolderRefused'
}

interface TableHead extends Reached {
  readonly file: 'table'
  readonly version: number
  readonly hash: string
  /** Name of the file with its secrets; null: it has none. */
  readonly secrets: string | null
}

interface SecretsHead {
  readonly file: 'secrets'
  readonly version: number
}

interface EndpointsHead {
  readonly file: 'endpoints'
  readonly version: number
  readonly atMs: number
}

/** Of the files; raised when an older release could not read them. */
const VERSION = 1
const TABLE = 'table.ndjson'
const ENDPOINTS = 'endpoints.ndjson'
const SECRETS = /^secrets-[0-9a-f]{16}\.ndjson$/
/** What crashes and damage left behind of them. */
const SECRETS_REMAINS = /^secrets-[0-9a-f]{16}\.ndjson(\.new|\.corrupt)?$/

const version = literal(VERSION)
const tableHead = object<TableHead>({
  file: literal('table'),
  version,
  epoch,
  basis,
  hash,
  secrets: nullable(pattern(SECRETS, 'the name of a file of secrets')),
})
const secretsHead = object<SecretsHead>({ file: literal('secrets'), version })
const endpointsHead = object<EndpointsHead>({
  file: literal('endpoints'),
  version,
  atMs: integer(0, Number.MAX_SAFE_INTEGER),
})

export interface DiskOptions {
  readonly folder: string
  /** Where secrets are kept, on a volume in memory perhaps; absent: in the folder. */
  readonly secretsFolder?: string
  readonly log: Logger
}

/** Makes the folders where they are missing. Rejects with StateFolderRefused. */
export async function openDisk(options: DiskOptions): Promise<Disk> {
  const secretsFolder = options.secretsFolder ?? options.folder
  for (const path of new Set([options.folder, secretsFolder])) await claimFolder(path)
  return new FolderDisk({ ...options, secretsFolder })
}

class FolderDisk implements Disk {
  readonly #folder: string
  readonly #secretsFolder: string
  readonly #log: Logger

  constructor({ folder, secretsFolder, log }: Required<DiskOptions>) {
    this.#folder = folder
    this.#secretsFolder = secretsFolder
    this.#log = log
  }

  async readTable(): Promise<StoredTable | null> {
    const path = join(this.#folder, TABLE)
    const found = await this.#read(path)
    if (found === null) return null
    const head = decodeFirst<TableHead>(tableHead, found)
    if (head.kind === 'refused') {
      return this.#setAside(path, `its first line ${head.fault.sentence}`)
    }
    const { secrets } = head.value
    const secretLines = secrets === null ? [] : await this.#readSecrets(secrets)
    if (secretLines === null) {
      this.#log.warn({ file: secrets }, 'the stored table is not used: its secrets are missing')
      return null
    }
    const table = tableOf(head.value, [...found.slice(1), ...secretLines])
    return typeof table === 'string' ? this.#setAside(path, table) : table
  }

  async #readSecrets(file: string): Promise<readonly Uint8Array[] | null> {
    const path = join(this.#secretsFolder, file)
    const found = await this.#read(path)
    if (found === null || decodeFirst(secretsHead, found).kind === 'decoded') {
      return found?.slice(1) ?? null
    }
    return this.#setAside(path, 'its first line is not what it should be')
  }

  async readEndpoints(): Promise<StoredEndpoints | null> {
    const path = join(this.#folder, ENDPOINTS)
    const found = await this.#read(path)
    if (found === null) return null
    const head = decodeFirst<EndpointsHead>(endpointsHead, found)
    const sets = head.kind === 'refused' ? head : decodeAll<EndpointSet>(endpointSet, found)
    if (head.kind === 'decoded' && sets.kind === 'decoded') {
      return { atMs: head.value.atMs, sets: sets.value }
    }
    return this.#setAside(path, 'a line of it is not what it should be')
  }

  async writeTable(table: StoredTable): Promise<void> {
    const secrets = await writeSecrets(
      this.#secretsFolder,
      table.objects.filter(({ kind }) => kind === 'secret'),
    )
    const head: TableHead = {
      file: 'table',
      version: VERSION,
      ...table.reached,
      hash: table.hash,
      secrets,
    }
    await writeLines(join(this.#folder, TABLE), withHead(head, table.objects, 'table'))
    await forgetSecrets(this.#secretsFolder, secrets)
  }

  async writeEndpoints({ atMs, sets }: StoredEndpoints): Promise<void> {
    const head: EndpointsHead = { file: 'endpoints', version: VERSION, atMs }
    await writeLines(join(this.#folder, ENDPOINTS), [head, ...sets])
  }

  /** The lines of a file, or null where it is missing, unreadable or was set aside. */
  async #read(path: string): Promise<readonly Uint8Array[] | null> {
    try {
      const found = await readLines(path)
      if (found.kind === 'lines') return found.lines
      return found.kind === 'absent' ? null : await this.#setAside(path, found.because)
    } catch (error) {
      this.#log.warn({ file: path, because: codeOf(error) }, 'a state file cannot be read')
      return null
    }
  }

  async #setAside(path: string, because: string): Promise<null> {
    this.#log.warn({ file: path, because }, 'a damaged state file is set aside as .corrupt')
    await rename(path, `${path}.corrupt`).catch(() => undefined) // it is not used all the same
    return null
  }
}

function* withHead(
  head: object,
  objects: Iterable<TableObject>,
  file: 'table' | 'secrets',
): Generator<object> {
  yield head
  for (const one of objects) if ((one.kind === 'secret') === (file === 'secrets')) yield one
}

/** A sentence where the lines are not the table that the head speaks of. */
function tableOf(head: TableHead, found: readonly Uint8Array[]): StoredTable | string {
  const objects = new Map<string, TableObject>()
  for (const line of found) {
    const decoded = decodeWith<TableObject>(checkObject, line, FRAME_BYTES_MAX)
    if (decoded.kind === 'refused') return `a line of it ${decoded.fault.sentence}`
    const one = decoded.value
    if (digestOf(one) !== one.digest) return `the digest of ${one.kind} "${one.key}" does not fit`
    objects.set(objectId(one.kind, one.key), one)
  }
  if (objects.size !== found.length) return 'it holds an object twice'
  const all = [...objects.values()]
  if (xorOf(all.map(({ digest }) => digest)) !== head.hash) return 'its hash does not fit'
  const broken = check(objects)
  if (broken !== null) return broken.sentence
  return { objects: all, hash: head.hash, reached: { epoch: head.epoch, basis: head.basis } }
}

/**
 * Named by what is in it and written before the table that names it: whatever a crash leaves behind,
 * a table and its secrets fit together, and secrets that did not change are not written again.
 */
async function writeSecrets(
  folder: string,
  secrets: readonly TableObject[],
): Promise<string | null> {
  if (secrets.length === 0) return null
  const digests = secrets.map(({ digest }) => digest).toSorted()
  const name = createHash('sha256').update(digests.join()).digest('hex').slice(0, 16)
  const file = `secrets-${name}.ndjson`
  const path = join(folder, file)
  const exists = await stat(path).then(
    () => 'yes' as const,
    () => 'no' as const,
  )
  if (exists === 'yes') return file
  const head: SecretsHead = { file: 'secrets', version: VERSION }
  await writeLines(path, withHead(head, secrets, 'secrets'))
  return file
}

async function forgetSecrets(folder: string, current: string | null): Promise<void> {
  for (const file of await readdir(folder)) {
    if (SECRETS_REMAINS.test(file) && file !== current)
      await rm(join(folder, file), { force: true })
  }
}

function decodeFirst<T>(shape: Shape, found: readonly Uint8Array[]): Decoded<T> {
  return decodeWith<T>(shape, found[0] ?? '', FRAME_BYTES_MAX)
}

function decodeAll<T>(shape: Shape, found: readonly Uint8Array[]): Decoded<readonly T[]> {
  const value: T[] = []
  for (const line of found.slice(1)) {
    const decoded = decodeWith<T>(shape, line, FRAME_BYTES_MAX)
    if (decoded.kind === 'refused') return decoded
    value.push(decoded.value)
  }
  return { kind: 'decoded', value }
}

async function claimFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const found = await stat(path)
    if (!found.isDirectory()) throw new StateFolderRefused(`state folder ${path} is not a folder`)
    const mode = found.mode & 0o777
    if ((mode & 0o077) !== 0) {
      const shown = mode.toString(8).padStart(4, '0')
      throw new StateFolderRefused(
        `state folder ${path} can be read by others (mode ${shown}); run: chmod 700 ${path}`,
      )
    }
  } catch (error) {
    if (error instanceof StateFolderRefused) throw error
    throw new StateFolderRefused(`state folder ${path} cannot be used: ${reasonOf(error)}`)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it is not a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
}

function reasonOf(error: unknown): string {
  const code = codeOf(error)
  return REASONS[code] ?? code
}
