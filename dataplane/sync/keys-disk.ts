/**
 * Key sets on disk, so that a data plane that starts while an issuer is away still knows its keys:
 * one file each. A file that cannot be read is set aside, never fatal.
 * Pinned by keys-disk.test.ts: "a torn or foreign file is set aside, and nothing of it is believed".
 */
import { createHash } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { usableKey } from './keys-fetch.ts'
import type { PublicJwk } from './keys-message.ts'
import { readLines, writeLines } from './state-file.ts'

export interface StoredKeys {
  readonly keys: readonly PublicJwk[]
  /** Milliseconds since 1970. */
  readonly fetchedAtMs: number
}

const VERSION = 1

export class KeyFiles {
  readonly #folder: string

  /** `folder`: one of our own in the state folder, which is 0700. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Null: there are none that can be used. */
  async read(id: string): Promise<StoredKeys | null> {
    const path = this.#path(id)
    const file = await readLines(path)
    if (file.kind === 'absent') return null
    const stored = file.kind === 'lines' ? decode(file.lines, id) : null
    if (stored === null) await rename(path, `${path}.corrupt`)
    return stored
  }

  async write(id: string, { keys, fetchedAtMs }: StoredKeys): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await writeLines(this.#path(id), [{ file: 'keys', version: VERSION, id, fetchedAtMs }, ...keys])
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true })
  }

  /** Sources are URLs, which no file system takes as names. */
  #path(id: string): string {
    return join(this.#folder, `${createHash('sha256').update(id).digest('hex')}.json`)
  }
}

function decode(lines: readonly Uint8Array[], id: string): StoredKeys | null {
  const [head, ...keys] = lines.map((line) => parse(line))
  const fetchedAtMs = head?.get('fetchedAtMs')
  if (head?.get('version') !== VERSION || head.get('id') !== id) return null
  if (typeof fetchedAtMs !== 'number' || keys.length === 0) return null
  const usable = keys.flatMap((members) => usableKey(Object.fromEntries(members)) ?? [])
  return usable.length === keys.length ? { keys: usable, fetchedAtMs } : null
}

/** Empty where it is no object: then it lacks whatever is looked for. */
function parse(line: Uint8Array): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(line).toString('utf8'))
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])
  } catch {
    return new Map()
  }
}
