/**
 * The writer of both sides: the parts of a message as latin1 text, for the caller to join with the
 * first piece of the body into one write. It writes what a strict parser reads in one way only: a
 * name or value that would be read as anything else throws, nobody may have let it come so far.
 *
 *     statusLine(200) + fieldLines(fields) + CLOSE_LINE + LINE_END + body
 *
 * Which fields frame the message is the caller's to say, with the constants below or in its list.
 * Pinned by write.test.ts: "whatever is written parses as what was meant".
 */
import { STATUS_CODES } from 'node:http'

/** Ends a head, and the data of a chunk. */
export const LINE_END = '\r\n'
export const CHUNKED_LINE = 'transfer-encoding: chunked\r\n'
export const CLOSE_LINE = 'connection: close\r\n'
export const UPGRADE_LINE = 'connection: upgrade\r\n'
export const KEEP_ALIVE_LINE = 'connection: keep-alive\r\n'

/** RFC 9112 section 3; the target in one of its forms, without spaces. */
export function requestLine(method: string, target: string): string {
  if (!METHOD.test(method) || !TARGET.test(target)) throw new TypeError('not a request line')
  return `${method} ${target} HTTP/1.1\r\n`
}

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const TARGET = /^[!-~]+$/

/** RFC 9112 section 4. What we speak is said, whatever the request spoke (RFC 9110 section 2.5). */
export function statusLine(status: number): string {
  return STATUS_LINES[status] ?? `HTTP/1.1 ${status} \r\n`
}

const STATUS_LINES: string[] = []
for (const [status, reason] of Object.entries(STATUS_CODES)) {
  STATUS_LINES[Number(status)] = `HTTP/1.1 ${status} ${reason}\r\n`
}

/** RFC 9112 section 5. */
export function fieldLines(fields: readonly string[]): string {
  let text = ''
  for (let i = 0; i + 1 < fields.length; i += 2)
    text += fieldLine(fields[i] ?? '', fields[i + 1] ?? '')
  return text
}

export function fieldLine(name: string, value: string): string {
  if (!NAME.test(name) || NO_VALUE.test(value)) throw new TypeError('not a field')
  return `${name}: ${value}\r\n`
}

const NAME = METHOD
/** Also what latin1 would cut to another byte: U+010A would become a line feed. */
const NO_VALUE = /[^\t -~\u0080-\u00ff]/

/** RFC 9112 section 7.1; never 0, which would be the last one. LINE_END follows the data. */
export function chunkLine(bytes: number): string {
  if (bytes === 0) throw new TypeError('an empty chunk is the last one')
  return `${bytes.toString(16)}\r\n`
}

/** The end of a chunked body. */
export function lastChunk(trailers: readonly string[] | null): string {
  return trailers === null ? '0\r\n\r\n' : `0\r\n${fieldLines(trailers)}\r\n`
}
