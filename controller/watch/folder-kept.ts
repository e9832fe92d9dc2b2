/**
 * What a file of a folder said before it could not be read any more, kept in the state folder for as
 * long as that lasts: a restart must not forget a policy because its file is half edited.
 * Pinned by folder-kept.test.ts: "what a broken file said stays in force over a restart".
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { isRecord } from '../kube/fields.ts'
import type { Logger } from '../log.ts'

export interface KeptFiles {
  /** Null: it could be read when it was last looked at. */
  text(file: string): string | null
  /** Those that cannot be read now, with what they said. */
  keep(texts: ReadonlyMap<string, string>): void
  /** Resolves once all of it is on disk, or cannot be. */
  written(): Promise<void>
}

const FILE = 'kept-files.json'

/** `state` exists and is ours alone: files of a folder may hold Secrets. */
export async function keptFiles(state: string, log: Logger): Promise<KeptFiles> {
  await mkdir(state, { recursive: true, mode: 0o700 })
  const path = join(state, FILE)
  const before = await stored(path, log)
  let newest = JSON.stringify(Object.fromEntries(before))
  let writing: Promise<void> = Promise.resolve()
  return {
    text: (file) => before.get(file) ?? null,
    keep(texts) {
      const next = JSON.stringify(Object.fromEntries(texts))
      if (next === newest) return
      newest = next
      writing = writing
        .then(() => write(path, next))
        .catch((error: unknown) => {
          log.warn(
            { file: path, error: String(error) },
            'a restart would forget what files said before',
          )
        })
    },
    written: () => writing,
  }
}

async function stored(path: string, log: Logger): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(path, 'utf8').catch(() => '{}')
  try {
    const parsed: unknown = JSON.parse(text)
    return new Map(
      Object.entries(isRecord(parsed) ? parsed : {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    )
  } catch {
    const aside = `${path}.corrupt`
    await rename(path, aside).catch(() => {})
    log.warn({ file: aside }, 'what files said before could not be read; it was set aside')
    return new Map()
  }
}

/** Written aside, synced and renamed: a crash leaves the old file or the new one. */
async function write(path: string, text: string): Promise<void> {
  const aside = `${path}.new`
  const file = await open(aside, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(aside, path)
}
