/**
 * Requests to try the codec with: what is well formed, and what has been done to it since. Every
 * text is latin1: one character is one byte.
 */
import * as fc from 'fast-check'

const BYTES = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))

function textOf(pattern: RegExp, minLength: number, maxLength: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...BYTES.filter((byte) => pattern.test(byte)))
  return fc.string({ unit, minLength, maxLength })
}

const token = textOf(/[A-Za-z0-9!#$%&'*+.^_`|~-]/, 1, 12)
const value = textOf(/[\t -~\u0080-\u00ff]/, 0, 20)
const method = fc.constantFrom('GET', 'POST', 'HEAD', 'M-SEARCH', 'OPTIONS')
const target = textOf(/[!-~]/, 0, 20).map((text) => `/${text}`)
const name = fc.oneof(
  token.filter((text) => !/^(?:content-length|transfer-encoding)$/i.test(text)),
  fc.constantFrom('Host', 'Connection', 'Expect'),
)
const fields = fc
  .array(fc.tuple(name, fc.constantFrom('', ' ', '\t', ' \t '), value), { maxLength: 5 })
  .map((list) => list.map(([key, space, text]) => `${key}:${space}${text}\r\n`).join(''))

const extension = fc.constantFrom('', '', '', ';a', ';a=b', ';a="b;\\"\t"', ';x=1;y')
const chunk = fc
  .tuple(
    value.filter((text) => text !== ''),
    extension,
  )
  .map(([text, tail]) => `${text.length.toString(16)}${tail}\r\n${text}\r\n`)

const body = fc.oneof(
  fc.constant(['', ''] as const),
  value.map((text) => [`Content-Length: ${text.length}\r\n`, text] as const),
  fc.tuple(fc.array(chunk, { maxLength: 4 }), fields).map(([chunks, trailers]) => {
    const text = `${chunks.join('')}0\r\n${trailers}\r\n`
    return ['transfer-encoding: Chunked\r\n', text] as const
  }),
)

/** One whole request, as RFC 9112 allows it. */
export const request = fc
  .tuple(fc.constantFrom('', '', '\r\n'), method, target, fields, body, fields)
  .map(
    ([empty, verb, path, before, [framing, content], after]) =>
      `${empty}${verb} ${path} HTTP/1.1\r\n${before}${framing}${after}\r\n${content}`,
  )

const segment = textOf(/[A-Za-z0-9-]/, 1, 8)
const harmless = fc
  .array(fc.tuple(fc.constantFrom('X-A', 'x-a', 'Accept', 'X-Trace'), value), { maxLength: 3 })
  .map((list) => list.map(([key, text]) => `${key}: ${text}\r\n`).join(''))

/** One whole request that a gateway serves: of a host that exists, with a canonical path. */
export const served = fc
  .tuple(fc.constantFrom('GET', 'POST', 'PUT'), segment, harmless, body, harmless)
  .map(
    ([verb, path, before, [framing, content], after]) =>
      `${verb} /${path} HTTP/1.1\r\nHost: shop.example.com\r\n${before}${framing}${after}\r\n${content}`,
  )

/** Pieces of text that parsers have read differently. */
export const STRANGE = [
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\0',
  ' ',
  '\t',
  ':',
  ' :',
  ';',
  '"',
  ',',
  '0',
  '-1',
  '0x1',
  '+1',
  '\x0b',
  '\x7f',
  '\xa0',
  '\xff',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'chunked',
  'Content-Length: 1\r\n',
  'Content-Length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Transfer-Encoding : chunked\r\n',
  'transfer-encoding:\x0bchunked\r\n',
  'Transfer-Encoding: identity\r\n',
  ' folded\r\n',
  '0\r\n\r\n',
  '5\r\n',
  'fffffffffffff\r\n',
  '00000000000000\r\n',
  '1;\r\n',
  '1 \r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'A'.repeat(300),
  'X'.repeat(9000),
  'a: b\r\n'.repeat(101),
] as const

export interface Mutation {
  readonly at: number
  readonly cut: number
  readonly put: string
  /** What becomes of the line there. */
  readonly line: 'stays' | 'twice' | 'away' | 'last'
}

/** Where, as a share of the text; how much is taken away; what is put there. */
export const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.constantFrom(0, 0, 1, 1, 2, 7),
  put: fc.oneof(fc.constant(''), fc.constantFrom(...STRANGE), textOf(/[^]/, 1, 2)),
  line: fc.constantFrom('stays', 'stays', 'stays', 'twice', 'away', 'last'),
} as const)

export function mutated(text: string, mutations: readonly Mutation[]): string {
  let result = text
  for (const { at, cut, put, line } of mutations) {
    const from = Math.floor(at * result.length)
    result =
      line === 'stays'
        ? `${result.slice(0, from)}${put}${result.slice(from + cut)}`
        : withLine(result, from, line)
  }
  return result
}

function withLine(text: string, at: number, what: 'twice' | 'away' | 'last'): string {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const end = text.indexOf('\n', at) + 1 || text.length
  const line = text.slice(start, end)
  const rest = text.slice(end)
  if (what === 'last') return text.slice(0, start) + rest + line
  return text.slice(0, start) + (what === 'twice' ? line + line : '') + rest
}
