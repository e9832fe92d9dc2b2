/**
 * The files of a folder as they are on disk, and word of every change: by the system's own
 * notification, and by a slow look at everything for file systems that have none.
 * Pinned by folder.test.ts: "a saved file is read within a tenth of a second".
 */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { FILE_BYTES_MAX } from './folder-document.ts'

export interface FileRead {
  /** Relative to the folder, with forward slashes. */
  readonly file: string
  readonly outcome:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'gone' }
    | { readonly kind: 'unreadable'; readonly because: string }
}

/** An editor that truncates and then writes is done within this; a save still shows in 100 ms. */
const QUIET_MS = 20
/** A file that never rests is read all the same. */
const QUIET_MAX_MS = 60
const LOOK_EVERY_MS = 2_000

const ENDING = /\.(ya?ml|json)$/

/** What sample backends answer with (cli/sample.ts), in a folder of its own. */
const FIXTURES = 'fixtures/'

/**
 * Files ending in .yaml, .yml, .json count; what begins with a dot does not, nor do fixtures.
 */
export function counts(file: string): 'yes' | 'no' {
  if (file.startsWith(FIXTURES)) return 'no'
  return ENDING.test(file) && !file.split('/').some((part) => part.startsWith('.')) ? 'yes' : 'no'
}

export interface FolderFiles {
  /** Everything that differs from what was handed out before. */
  readAll(): Promise<readonly FileRead[]>
  close(): void
}

/** `changed` gets what a change left behind. The folder must exist. */
export function followFolder(
  folder: string,
  changed: (reads: readonly FileRead[]) => void,
  failed: (error: Error) => void,
): FolderFiles {
  const following = new Following(folder, changed, failed)
  return { readAll: () => following.readAll(), close: () => following.close() }
}

class Following {
  readonly #folder: string
  readonly #changed: (reads: readonly FileRead[]) => void
  readonly #failed: (error: Error) => void
  /** file → size, mtime and inode when it was last read. */
  readonly #seen = new Map<string, string>()
  readonly #watcher: FSWatcher
  readonly #look: NodeJS.Timeout
  #quiet: NodeJS.Timeout | null = null
  #restlessSince = 0
  #reading: Promise<unknown> = Promise.resolve()

  constructor(
    folder: string,
    changed: (reads: readonly FileRead[]) => void,
    failed: (error: Error) => void,
  ) {
    this.#folder = folder
    this.#changed = changed
    this.#failed = failed
    this.#watcher = watch(folder, { recursive: true }, () => this.#stir())
    this.#watcher.on('error', (error) => this.#failed(error))
    this.#look = setInterval(() => this.#read(), LOOK_EVERY_MS)
    this.#look.unref()
  }

  close(): void {
    this.#watcher.close()
    clearInterval(this.#look)
    if (this.#quiet !== null) clearTimeout(this.#quiet)
  }

  #stir(): void {
    const now = performance.now()
    if (this.#quiet === null) this.#restlessSince = now
    else clearTimeout(this.#quiet)
    const left = Math.max(0, QUIET_MAX_MS - (now - this.#restlessSince))
    this.#quiet = setTimeout(
      () => {
        this.#quiet = null
        this.#read()
      },
      Math.min(QUIET_MS, left),
    )
  }

  #read(): void {
    this.#reading = this.#reading
      .then(async () => {
        const reads = await this.readAll()
        if (reads.length > 0) this.#changed(reads)
      })
      .catch((error: unknown) =>
        this.#failed(error instanceof Error ? error : new Error(String(error))),
      )
  }

  async readAll(): Promise<readonly FileRead[]> {
    const present = await this.#list()
    const reads: FileRead[] = []
    for (const file of this.#seen.keys()) {
      if (present.has(file)) continue
      this.#seen.delete(file)
      reads.push({ file, outcome: { kind: 'gone' } })
    }
    for (const [file, mark] of present) {
      if (this.#seen.get(file) === mark) continue
      this.#seen.set(file, mark)
      reads.push({ file, outcome: await readOne(join(this.#folder, file)) })
    }
    return reads
  }

  async #list(): Promise<ReadonlyMap<string, string>> {
    const present = new Map<string, string>()
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true })
    const files = entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => relative(this.#folder, join(entry.parentPath, entry.name)))
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => counts(file) === 'yes')
      .toSorted()
    const marks = await Promise.all(files.map((file) => markOf(join(this.#folder, file))))
    for (const [position, file] of files.entries()) {
      const mark = marks[position] ?? null
      if (mark !== null) present.set(file, mark)
    }
    return present
  }
}

/** Null for what is no file, or went away meanwhile. */
async function markOf(path: string): Promise<string | null> {
  try {
    const facts = await stat(path, { bigint: true })
    return facts.isFile() ? `${facts.size} ${facts.mtimeNs} ${facts.ino}` : null
  } catch (error) {
    return isMissing(error) ? null : 'unreadable'
  }
}

async function readOne(path: string): Promise<FileRead['outcome']> {
  try {
    const { size } = await stat(path)
    if (size > FILE_BYTES_MAX) {
      return { kind: 'unreadable', because: `larger than ${FILE_BYTES_MAX} bytes; split it` }
    }
    return { kind: 'text', text: await readFile(path, 'utf8') }
  } catch (error) {
    if (isMissing(error)) return { kind: 'gone' }
    return { kind: 'unreadable', because: error instanceof Error ? error.message : String(error) }
  }
}

function isMissing(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
