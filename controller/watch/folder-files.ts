/**
 * The files of a folder as they are on disk, and word of every change: by the system's own
 * notification, and by a slow look at everything for file systems that have none.
 * Pinned by folder.test.ts: "a saved, a new and a removed file take effect", and
 * folder-files.test.ts: "a folder that is closed during a look is not followed again".
 */
import { type FSWatcher, watch } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileReason } from '../file-reason.ts'
import { FILE_BYTES_MAX } from './folder-document.ts'
import { counts, isMissing, joined, listed } from './folder-list.ts'

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
/** Not written for so long (the clock of file systems ticks every few milliseconds). */
const RESTS_MS = QUIET_MS - 5
/** A file that is written all the time is read all the same. */
const HOT_MAX_MS = 1_000

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
  /** Files that were being written when they should have been read, and since when. */
  readonly #hot = new Map<string, number>()
  /** Folder, relative to ours → word of what happens in it. */
  readonly #watchers = new Map<string, FSWatcher>()
  /** Files of which there was word; `all` where only a look at everything can tell. */
  #dirty: Set<string> | 'all' = new Set()
  #look: NodeJS.Timeout | null = null
  #quiet: NodeJS.Timeout | null = null
  #restlessSince = 0
  /** A look that goes on when it is closed must not follow anything again. */
  #follows: 'yes' | 'no more' = 'yes'
  #reading: Promise<unknown> = Promise.resolve()

  constructor(
    folder: string,
    changed: (reads: readonly FileRead[]) => void,
    failed: (error: Error) => void,
  ) {
    this.#folder = folder
    this.#changed = changed
    this.#failed = failed
    this.#watch('')
    this.#lookLater(LOOK_EVERY_MS)
  }

  close(): void {
    this.#follows = 'no more'
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    if (this.#look !== null) clearTimeout(this.#look)
    if (this.#quiet !== null) clearTimeout(this.#quiet)
  }

  /** One watch per folder: the recursive one of Node watches every file by itself on Linux. */
  #watch(inside: string): void {
    if (this.#follows === 'no more' || this.#watchers.has(inside)) return
    const watcher = watched(join(this.#folder, inside), (name) => this.#heard(inside, name))
    if (watcher === null) return
    // The folder went away: the next look at everything says what that means.
    watcher.on('error', () => this.#forget(inside))
    this.#watchers.set(inside, watcher)
  }

  #forget(inside: string): void {
    this.#watchers.get(inside)?.close()
    this.#watchers.delete(inside)
    this.#dirty = 'all'
    this.#stir()
  }

  #heard(inside: string, name: string | null): void {
    const file = name === null ? null : joined(inside, name)
    if (file !== null && isPassing(file)) return
    if (file === null || counts(file) === 'no') this.#dirty = 'all'
    else if (this.#dirty !== 'all') this.#dirty.add(file)
    this.#stir()
  }

  #stir(): void {
    if (this.#follows === 'no more') return
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

  /** A look at many files takes its time: it may have a fiftieth of it. */
  #lookLater(afterMs: number): void {
    if (this.#follows === 'no more') return
    this.#look = setTimeout(() => {
      const startedMs = performance.now()
      this.#dirty = 'all'
      this.#read()
      void this.#reading.then(() =>
        this.#lookLater(Math.max(LOOK_EVERY_MS, 50 * (performance.now() - startedMs))),
      )
    }, afterMs)
    this.#look.unref()
  }

  #read(): void {
    this.#reading = this.#reading
      .then(async () => {
        const dirty = this.#dirty
        this.#dirty = new Set()
        const reads = dirty === 'all' ? await this.readAll() : await this.#readSome(dirty)
        if (reads.length > 0 && this.#follows === 'yes') this.#changed(reads)
      })
      .catch((error: unknown) => {
        if (this.#follows === 'no more') return
        this.#failed(error instanceof Error ? error : new Error(String(error)))
      })
  }

  async #readSome(files: ReadonlySet<string>): Promise<readonly FileRead[]> {
    const reads: FileRead[] = []
    for (const file of files) {
      const read = await this.#readOne(file)
      if (read !== null) reads.push(read)
    }
    return reads
  }

  /** Null where there is nothing new, or not yet. */
  async #readOne(file: string): Promise<FileRead | null> {
    const path = join(this.#folder, file)
    const mark = await markOf(path)
    if (mark === null) return this.#seen.delete(file) ? { file, outcome: { kind: 'gone' } } : null
    if (this.#seen.get(file) === mark.text) return null
    if (this.#isBeingWritten(file, mark)) return null
    const outcome = await readOne(path)
    this.#seen.set(file, mark.text)
    return { file, outcome }
  }

  /** Half of a file can be whole YAML that says less: it is read once it rests. */
  #isBeingWritten(file: string, { writtenAgoMs }: Mark): unknown {
    const since = this.#hot.get(file) ?? performance.now()
    const rests = writtenAgoMs >= RESTS_MS || writtenAgoMs < 0
    if (rests || !this.#seen.has(file) || performance.now() - since > HOT_MAX_MS) {
      this.#hot.delete(file)
      return null
    }
    this.#hot.set(file, since)
    if (this.#dirty !== 'all') this.#dirty.add(file)
    this.#stir()
    return 'yes'
  }

  async readAll(): Promise<readonly FileRead[]> {
    const { files, folders, closed } = await listed(this.#folder)
    this.#watchOnly(folders)
    const reads: FileRead[] = []
    for (const [inside, because] of closed) {
      if (this.#seen.get(inside) === because) continue
      this.#forgetBelow(inside)
      this.#seen.set(inside, because)
      reads.push({ file: inside, outcome: { kind: 'unreadable', because } })
    }
    const gone = [...this.#seen.keys()].filter((file) => !files.has(file) && !closed.has(file))
    return [...reads, ...(await this.#readSome(new Set([...gone, ...files])))]
  }

  /** What a closed folder holds is not gone: it is read anew when the folder opens. */
  #forgetBelow(inside: string): void {
    for (const file of this.#seen.keys()) {
      if (file.startsWith(`${inside}/`)) this.#seen.delete(file)
    }
  }

  #watchOnly(folders: ReadonlySet<string>): void {
    for (const [inside, watcher] of this.#watchers) {
      if (folders.has(inside)) continue
      watcher.close()
      this.#watchers.delete(inside)
    }
    for (const inside of folders) this.#watch(inside)
  }
}

/** What editors and atomic writers leave beside a file for a moment: no reason to look around. */
function isPassing(file: string): boolean {
  return /\.(tmp|swp|swx|part|new|bak)$|~$|\/?\.#[^/]*$/.test(file)
}

/** Null where the system gives no word of it: the next look at everything sees what changed. */
function watched(path: string, heard: (name: string | null) => void): FSWatcher | null {
  try {
    return watch(path, (_, name) => heard(name))
  } catch {
    return null
  }
}

interface Mark {
  /** Changes with every write. */
  readonly text: string
  readonly writtenAgoMs: number
}

/** Null for what is no file, or went away meanwhile. */
async function markOf(path: string): Promise<Mark | null> {
  try {
    const facts = await stat(path, { bigint: true })
    if (!facts.isFile()) return null
    const { ino, mtimeNs, size } = facts
    const writtenAgoMs = Date.now() - Number(mtimeNs / 1_000_000n)
    return { text: `${size} ${mtimeNs} ${ino}`, writtenAgoMs }
  } catch (error) {
    return isMissing(error) ? null : { text: 'unreadable', writtenAgoMs: RESTS_MS }
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
    return { kind: 'unreadable', because: fileReason(error) }
  }
}
