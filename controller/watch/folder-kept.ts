/**
 * What a file of a folder said before it could not be read any more, kept in the state folder for as
 * long as that lasts: a restart must not forget a policy because its file is half edited.
 * Pinned by folder-kept.test.ts: "what a broken file said stays in force over a restart".
 */
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileReason } from '../file-reason.ts'
import { isRecord } from '../../crds/inspect.ts'
import type { Logger } from '../log.ts'
import { writeWhole } from '../state-file.ts'

export interface KeptFiles {
  /** Null: it could be read when it was last looked at. */
  text(file: string): string | null
  /** Those that could not. */
  files(): readonly string[]
  /** Those that cannot be read now, with what they said. */
  keep(texts: ReadonlyMap<string, string>): void
  /** Resolves once all of it is on disk, or cannot be. */
  written(): Promise<void>
}

const FILE = 'kept-files.json'

/** `state` exists and is ours alone: files of a folder may hold Secrets. */
export async function keptFiles(state: string, log: Logger): Promise<KeptFiles> {
  const path = join(state, FILE)
  const before = await stored(path, log)
  let newest = JSON.stringify(Object.fromEntries(before))
  let writing: Promise<void> = Promise.resolve()
  return {
    text: (file) => before.get(file) ?? null,
    files: () => [...before.keys()],
    keep(texts) {
      const next = JSON.stringify(Object.fromEntries(texts))
      if (next === newest) return
      newest = next
      writing = writing
        .then(() => writeWhole(path, next))
        .catch((error: unknown) => {
          log.warn(
            { file: path, error: fileReason(error) },
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
