/**
 * Every way in which bytes can fail to be an HTTP/1 message. A closed set: the front answers it with
 * the status (and closes), the upstream side discards the connection. The parser never throws.
 * Pinned by parse.test.ts: "every failure has bytes that cause it".
 */

export interface ParseFacts {
  /** Of the answer, where it was a request. */
  readonly status: 400 | 414 | 431 | 501 | 505
  /** For the other side; holds nothing of what it has sent. */
  readonly because: string
}

export const PARSE_FAILURES = {
  'bad-line': { status: 400, because: 'The first line is not one of HTTP/1.1.' },
  'bad-target': { status: 400, because: 'The target holds what no target may hold.' },
  'unknown-method': { status: 501, because: 'The method is none that is known here.' },
  'unknown-version': { status: 505, because: 'The versions of HTTP spoken here are 1.0 and 1.1.' },
  'bad-status': { status: 400, because: 'The status is not a number from 100 to 599.' },
  'target-too-long': { status: 414, because: 'The target is longer than 8192 bytes.' },
  'bad-line-end': { status: 400, because: 'A line of the head does not end in CR LF.' },
  'bad-name': { status: 400, because: 'A header has no valid name.' },
  'bad-value': { status: 400, because: 'A header holds control bytes.' },
  folded: { status: 400, because: 'A header goes on in the next line.' },
  'too-many-fields': { status: 431, because: 'There are more than 100 headers.' },
  'fields-too-large': { status: 431, because: 'The headers are longer than 32768 bytes.' },
  'bad-length': { status: 400, because: 'Content-Length is not a number.' },
  'framed-twice': { status: 400, because: 'The length of the body is stated more than once.' },
  'coding-in-1.0': { status: 400, because: 'HTTP/1.0 has no Transfer-Encoding.' },
  'unknown-coding': { status: 501, because: 'The only Transfer-Encoding known here is chunked.' },
  'bad-chunk': { status: 400, because: 'A chunk of the body is malformed.' },
  'chunk-line-too-long': { status: 400, because: 'The line of a chunk is too long.' },
  'unexpected-switch': { status: 400, because: 'The protocol was switched without being asked.' },
  'too-many-interim': { status: 400, because: 'There are too many interim answers.' },
} as const satisfies Record<string, ParseFacts>

export type ParseFailure = keyof typeof PARSE_FAILURES
