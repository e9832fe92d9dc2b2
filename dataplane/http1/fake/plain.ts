/**
 * The plain twin of the parser: one message of one whole text, read as RFC 9112 says it, slowly and
 * obviously. The parser must find the same in whatever pieces the text comes.
 */
import { HEADER_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX } from '#wire/limits'
import type { ParseFailure } from '../failure.ts'
import { CHUNK_LINE_BYTES_MAX, EMPTY_LINES_MAX, FIRST_LINE_BYTES_MAX } from '../limits.ts'

export interface PlainMessage {
  first: readonly [string, string, string]
  fields: string[]
  body: string
  trailers: string[] | null
}

/** What was found, and how many bytes of the text it takes. */
export type Plain =
  | { readonly kind: 'message'; readonly message: PlainMessage; readonly bytes: number }
  | { readonly kind: 'partial' }
  | { readonly kind: 'failed'; readonly failure: ParseFailure }

class Failed extends Error {
  readonly failure: ParseFailure
  constructor(failure: ParseFailure) {
    super(failure)
    this.failure = failure
  }
}
class Partial extends Error {}

export function plainRequest(text: string): Plain {
  try {
    return request(new Text(text))
  } catch (error) {
    if (error instanceof Failed) return { kind: 'failed', failure: error.failure }
    if (error instanceof Partial) return { kind: 'partial' }
    throw error
  }
}

class Text {
  readonly #text: string
  at = 0
  constructor(text: string) {
    this.#text = text
  }

  line(bytesMax: number, tooLong: ParseFailure): string {
    const end = this.#text.indexOf('\n', this.at) + 1
    const line = this.#text.slice(this.at, end === 0 ? undefined : end)
    if (line.length > bytesMax) throw new Failed(tooLong)
    if (end === 0) throw new Partial()
    this.at = end
    return line
  }

  bytes(count: number): string {
    const bytes = this.#text.slice(this.at, this.at + count)
    if (bytes.length < count) throw new Partial()
    this.at += count
    return bytes
  }
}

function request(text: Text): Plain {
  const first = firstLine(text)
  const fields = fieldLines(text)
  const body = bodyOf(text, first[2], fields)
  return { kind: 'message', message: { first, fields, ...body }, bytes: text.at }
}

/** What the line must match, one after the other, or fail so. */
const REQUEST_LINE: readonly (readonly [RegExp, ParseFailure])[] = [
  [/\r\n$/, 'bad-line-end'],
  [/^[!#-'*+\-.^_`|~\w]+ .* HTTP\/\d\.\d\r\n$/s, 'bad-line'],
  [/ HTTP\/1\.[01]\r\n$/, 'unknown-version'],
  [/^[A-Z-]{1,32} /, 'unknown-method'],
  [new RegExp(`^\\S+ .{0,${TARGET_BYTES_MAX}} \\S+\\r\\n$`, 's'), 'target-too-long'],
  [/^[A-Z-]+ [!-~]+ HTTP\/1\.[01]\r\n$/, 'bad-target'],
]

function firstLine(text: Text): PlainMessage['first'] {
  let line = ''
  for (let i = 0; i <= EMPTY_LINES_MAX; i++) {
    line = text.line(FIRST_LINE_BYTES_MAX, 'target-too-long')
    if (line !== '\r\n') break
  }
  for (const [pattern, failure] of REQUEST_LINE) if (!pattern.test(line)) throw new Failed(failure)
  const [method = '', target = '', version = ''] = line.slice(0, -2).split(' ')
  return [method, target, version.slice('HTTP/'.length)]
}

function fieldLines(text: Text): string[] {
  const fields: string[] = []
  const start = text.at
  for (;;) {
    const line = text.line(start + HEADER_BYTES_MAX - text.at, 'fields-too-large')
    if (line === '\r\n') return fields
    if (/^[ \t]/.test(line)) throw new Failed('folded')
    if (!line.endsWith('\r\n')) throw new Failed('bad-line-end')
    if (!/^[!#-'*+\-.^_`|~\w]+:/.test(line)) throw new Failed('bad-name')
    const [, name = '', value] = /^([^:]+):([\t -~\u0080-\u00ff]*)\r\n$/.exec(line) ?? []
    if (value === undefined) throw new Failed('bad-value')
    fields.push(name, value.replace(/^[ \t]+|[ \t]+$/g, ''))
    if (fields.length > 2 * HEADERS_MAX) throw new Failed('too-many-fields')
  }
}

function valuesOf(fields: readonly string[], lower: string): readonly string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1]?.toLowerCase() === lower)
}

function bodyOf(
  text: Text,
  version: string,
  fields: readonly string[],
): Pick<PlainMessage, 'body' | 'trailers'> {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (lengths.length + codings.length > 1) throw new Failed('framed-twice')
  const [length] = lengths
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new Failed('bad-length')
  const [coding] = codings
  if (coding === undefined) return { body: text.bytes(Number(length ?? 0)), trailers: null }
  if (version === '1.0') throw new Failed('coding-in-1.0')
  if (!/^chunked$/i.test(coding)) throw new Failed('unknown-coding')
  return chunked(text)
}

const TOKEN = /[!#-'*+\-.^_`|~\w]+/.source
const QUOTED = /"(?:(?!["\\])[\t -~\x80-\xff]|\\[\t -~\x80-\xff])*"/.source
const CHUNK = new RegExp(`^([0-9a-fA-F]{1,13})(;${TOKEN}(=(${TOKEN}|${QUOTED}))?)*\r\n$`)

function chunked(text: Text): Pick<PlainMessage, 'body' | 'trailers'> {
  let body = ''
  for (;;) {
    const [, size] = CHUNK.exec(text.line(CHUNK_LINE_BYTES_MAX, 'chunk-line-too-long')) ?? []
    if (size === undefined) throw new Failed('bad-chunk')
    if (Number.parseInt(size, 16) === 0) break
    body += text.bytes(Number.parseInt(size, 16))
    if (text.bytes(1) !== '\r' || text.bytes(1) !== '\n') throw new Failed('bad-chunk')
  }
  const trailers = fieldLines(text)
  return { body, trailers: trailers.length === 0 ? null : trailers }
}
