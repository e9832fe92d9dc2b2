/**
 * Answers to try the lane with: what is well formed, and what has been done to it since. Every text
 * is latin1: one character is one byte.
 */
import * as fc from 'fast-check'

const value = fc.constantFrom('', 'a', 'text/plain', 'a, b', 'x=1; y="2"', '\u00e9')
const space = fc.constantFrom('', ' ', '\t ')
const name = fc.constantFrom('X-A', 'Date', 'set-cookie', 'Keep-Alive', 'x-hop', 'Via')
const connection = fc.constantFrom(
  '',
  '',
  '',
  'Connection: keep-alive\r\n',
  'connection: x-hop\r\n',
)
const fields = fc
  .tuple(fc.array(fc.tuple(name, space, value), { maxLength: 4 }), connection)
  .map(([list, last]) => list.map(([key, gap, text]) => `${key}:${gap}${text}\r\n`).join('') + last)

const content = fc.constantFrom('x', 'hello', '{"a":1}', 'HTTP/1.1 200 OK\r\n\r\n', 'y'.repeat(300))
const chunks = fc
  .array(fc.tuple(content, fc.constantFrom('', '', ';a=b')), { maxLength: 4 })
  .map((list) => list.map(([text, tail]) => `${hex(text)}${tail}\r\n${text}\r\n`).join(''))

function hex(text: string): string {
  return text.length.toString(16)
}

const framed = fc.oneof(
  content.map((text) => [`Content-Length: ${text.length}\r\n`, text] as const),
  content.map((text) => ['', text] as const),
  fc.constant(['content-length: 0\r\n', ''] as const),
  fc
    .tuple(chunks, fc.constantFrom('', 'X-Sum: 1\r\n', 'Content-Length: 9\r\n'))
    .map(([text, last]) => ['transfer-encoding: chunked\r\n', `${text}0\r\n${last}\r\n`] as const),
)
const interims = fc.constantFrom('', '', 'HTTP/1.1 103 Early\r\nlink: </a>\r\n\r\n')
const status = fc.constantFrom('200 OK', '200', '404 Not Found', '204 No', '304 No', '205 Reset')

export const answer = fc
  .tuple(interims, fc.constantFrom('1.1', '1.1', '1.0'), status, fields, framed)
  .map(
    ([before, version, line, list, [framing, body]]) =>
      `${before}HTTP/${version} ${line}\r\n${list}${framing}\r\n${body}`,
  )

/** Pieces of text that clients have read differently. */
export const STRANGE = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  ':',
  ' :',
  ';',
  ',',
  '0',
  '-1',
  '\x0b',
  '\x7f',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison',
  'Content-Length: 1\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  'Connection: close\r\n',
  'Connection: content-length\r\n',
  ' folded\r\n',
  '0\r\n\r\n',
  '5\r\n',
  'A'.repeat(300),
] as const
