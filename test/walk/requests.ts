/**
 * Raw requests of a case to a data plane over real sockets, and its raw answers: each on a connection
 * of its own, byte for byte as the file says. See README.md for how request.http is written.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'

export interface Sending {
  /** What the separator line says of it; it comes back in response.http. */
  readonly title: string
  /** `meanwhile`: sent while one before it is being served. */
  readonly when: 'then' | 'meanwhile'
  readonly bytes: Buffer
}

/** The head of an answer as it came; its body without chunk framing, which no test may depend on. */
export interface Answer {
  readonly head: string
  readonly body: string
}

/** No answer of the product takes longer: the slowest sample waits for a second. */
const ANSWER_WITHIN_MS = 10_000

/** Blocks that begin with a line `### title`; lines of the head end in CRLF, those of a body in LF. */
export function parseRequests(text: string): readonly Sending[] {
  const blocks = text.split(/^(?=###)/m).filter((block) => block.trim() !== '')
  return blocks.map((block) => {
    const title = /^###([^\n]*)\n/.exec(block)
    assert(
      title !== null,
      `a request begins with a line "### what it shows": ${block.slice(0, 60)}`,
    )
    const content = block.slice(title[0].length).replace(/\n$/, '')
    const end = content.indexOf('\n\n')
    const head = end === -1 ? content.replace(/\n$/, '') : content.slice(0, end)
    const body = end === -1 ? '' : content.slice(end + 2)
    const words = (title[1] ?? '').trim()
    return {
      title: words,
      when: words.startsWith('meanwhile') ? 'meanwhile' : 'then',
      bytes: Buffer.from(`${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}`),
    }
  })
}

export async function send(port: number, bytes: Buffer): Promise<Answer> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error('no answer in time')))
  const reading = new Reading(bytes.subarray(0, 5).toString() === 'HEAD ' ? 'none' : 'some')
  socket.on('data', (chunk: Buffer) => {
    if (reading.take(chunk) === 'complete') socket.end()
  })
  await once(socket, 'connect')
  socket.write(bytes)
  await once(socket, 'close')
  return reading.answer()
}

/** An HTTP/1.1 answer (RFC 9112 section 6.3), read as plainly as possible. */
class Reading {
  readonly #content: 'some' | 'none'
  #bytes = Buffer.alloc(0)

  constructor(content: 'some' | 'none') {
    this.#content = content
  }

  take(chunk: Buffer): 'complete' | 'incomplete' {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    const { head, rest } = this.#split()
    if (head === null) return 'incomplete'
    return this.#body(head, rest).state
  }

  answer(): Answer {
    const { head, rest } = this.#split()
    if (head === null) return { head: '(the connection is closed without an answer)', body: '' }
    const { text, state } = this.#body(head, rest)
    const broken = state === 'incomplete' ? '\n(the connection is closed in the middle)' : ''
    return { head, body: text + broken }
  }

  #split(): { readonly head: string | null; readonly rest: Buffer } {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end === -1) return { head: null, rest: this.#bytes }
    const head = this.#bytes.subarray(0, end).toString('latin1').replaceAll('\r\n', '\n')
    return { head, rest: this.#bytes.subarray(end + 4) }
  }

  #body(head: string, rest: Buffer): Body {
    const status = Number(head.slice(9, 12))
    if (this.#content === 'none' || status === 204 || status === 304) {
      return { text: rest.toString(), state: 'complete' }
    }
    if (/^transfer-encoding: chunked$/im.test(head)) return chunked(rest)
    const length = /^content-length: (\d+)$/im.exec(head)?.[1]
    const isAll = length !== undefined && rest.length >= Number(length)
    return { text: rest.toString(), state: isAll ? 'complete' : 'incomplete' }
  }
}

interface Body {
  readonly text: string
  readonly state: 'complete' | 'incomplete'
}

function chunked(bytes: Buffer): Body {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    const size = line === -1 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, line), 16)
    const text = (): string => Buffer.concat(parts).toString()
    if (Number.isNaN(size)) return { text: text(), state: 'incomplete' }
    if (size === 0) {
      const isEnd = bytes.indexOf('\r\n\r\n', line) !== -1
      return { text: text(), state: isEnd ? 'complete' : 'incomplete' }
    }
    if (bytes.length < line + 2 + size + 2) return { text: text(), state: 'incomplete' }
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
