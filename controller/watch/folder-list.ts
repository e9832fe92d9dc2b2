/**
 * What lies in a folder, at one moment: the files that count, the folders to watch, and those that
 * nobody can look into.
 * Pinned by folder-list.test.ts: "links to folders are named and not followed".
 */
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileReason } from '../file-reason.ts'

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

export interface Listing {
  /** Sorted; relative to the folder, with forward slashes. */
  readonly files: ReadonlySet<string>
  /** '' is the folder itself. */
  readonly folders: ReadonlySet<string>
  /** Folders inside that cannot be looked into, with the reason. */
  readonly closed: ReadonlyMap<string, string>
}

/** Rejects where the path is no folder, or cannot be read. */
export type ReadEntries = (path: string) => Promise<readonly Dirent[]>

const readEntries: ReadEntries = (path) => readdir(path, { withFileTypes: true })

/** Links to files are read. Rejects where the folder itself cannot be read. */
export async function listed(folder: string, read: ReadEntries = readEntries): Promise<Listing> {
  const files: string[] = []
  const folders = new Set([''])
  const closed = new Map<string, string>()
  const waiting = (await read(folder)).map((entry) => ({ inside: '', entry }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const path = joined(next.inside, next.entry.name)
    const found = await kindOf(next.entry, path, folder)
    if (found === 'file') files.push(path)
    if (found === 'linked') closed.set(path, LINKED)
    if (found === 'dangling') closed.set(path, DANGLING)
    if (found !== 'folder') continue
    try {
      for (const entry of await read(join(folder, path))) waiting.push({ inside: path, entry })
      folders.add(path)
    } catch (error) {
      if (!isMissing(error)) closed.set(path, fileReason(error))
    }
  }
  return { files: new Set(files.toSorted()), folders, closed }
}

/** One to "/" would lead everywhere, one upwards in circles. */
const LINKED = 'links to folders are not followed; put the files here, or start with that folder'

const DANGLING = 'this link leads to nothing; mend it, or remove it'

type Found = 'file' | 'folder' | 'linked' | 'dangling' | 'nothing'

async function kindOf(entry: Dirent, path: string, folder: string): Promise<Found> {
  if (!entry.isDirectory() && counts(path) === 'yes') {
    return entry.isSymbolicLink() && (await leadsNowhere(join(folder, path))) ? 'dangling' : 'file'
  }
  if (counts(`${path}/x.yaml`) === 'no') return 'nothing'
  if (entry.isDirectory()) return 'folder'
  if (!entry.isSymbolicLink()) return 'nothing'
  const facts = await stat(join(folder, path)).catch(() => null)
  return facts?.isDirectory() === true ? 'linked' : 'nothing'
}

function leadsNowhere(link: string): Promise<boolean> {
  return stat(link).then(() => false, isMissing)
}

export function joined(inside: string, name: string): string {
  return inside === '' ? name : `${inside}/${name}`
}

export function isMissing(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
