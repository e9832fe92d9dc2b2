/**
 * One file of the state folder: lines of JSON and a last one with the digest of all before it, so
 * that a torn or changed file is known from a whole one. Written aside, synced, renamed.
 * Pinned by disk.test.ts: "a file cut at any byte is set aside, and nothing of it is used".
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FRAME_BYTES_MAX, TABLE_BYTES_MAX } from '#wire/limits'
import { lines } from '#wire/lines'

export type FileLines =
  | { readonly kind: 'absent' }
  | { readonly kind: 'lines'; readonly lines: readonly Uint8Array[] }
  | { readonly kind: 'corrupt'; readonly because: string }

/** Between two writes the loop turns, so that a table of 12 MB does not hold up everything else. */
const CHUNK_CHARACTERS = 256 * 1024

export async function writeLines(path: string, content: Iterable<object>): Promise<void> {
  const aside = `${path}.new`
  await rm(aside, { force: true })
  const file = await open(aside, 'wx', 0o600)
  try {
    const digest = createHash('sha256')
    for (const chunk of chunks(content)) {
      digest.update(chunk)
      await file.write(chunk)
    }
    await file.write(`${JSON.stringify({ end: digest.digest('hex') })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(aside, path)
  await syncFolder(dirname(path))
}

function* chunks(content: Iterable<object>): Generator<string> {
  let chunk = ''
  for (const one of content) {
    chunk += `${JSON.stringify(one)}\n`
    if (chunk.length < CHUNK_CHARACTERS) continue
    yield chunk
    chunk = ''
  }
  yield chunk
}

/** Else a power cut could bring back the file that was replaced. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Rejects only where the file system fails. */
export async function readLines(path: string): Promise<FileLines> {
  const found: Uint8Array[] = []
  const digest = createHash('sha256')
  let end: string | null = null
  try {
    for await (const line of lines(bounded(createReadStream(path)), FRAME_BYTES_MAX)) {
      if (end !== null) return { kind: 'corrupt', because: 'it goes on after its end' }
      end = endOf(line)
      if (end !== null) continue
      found.push(line)
      digest.update(line).update('\n')
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'absent' }
    if (!(error instanceof RangeError)) throw error
    return { kind: 'corrupt', because: error.message }
  }
  if (end === null) return { kind: 'corrupt', because: 'its end is missing' }
  if (end !== digest.digest('hex')) return { kind: 'corrupt', because: 'its digest does not fit' }
  return { kind: 'lines', lines: found }
}

/** A table that came over the wire, with the file's own head and end. */
const FILE_BYTES_MAX = TABLE_BYTES_MAX + FRAME_BYTES_MAX

/** What follows the last line break would be dropped unseen; here it is a sign of damage. */
async function* bounded(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0
  let last = NEWLINE
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > FILE_BYTES_MAX) throw new RangeError(`it is longer than ${FILE_BYTES_MAX} bytes`)
    last = chunk.at(-1) ?? last
    yield chunk
  }
  if (last !== NEWLINE) throw new RangeError('its last line is torn')
}

const NEWLINE = 0x0a
const END = /^\{"end":"([0-9a-f]{64})"\}$/

function endOf(line: Uint8Array): string | null {
  if (line.length !== 74) return null
  return END.exec(Buffer.from(line).toString('latin1'))?.[1] ?? null
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
