/**
 * The plain twin of the lane: all bytes that a backend sent until it closed, read as RFC 9112 says
 * it, slowly and obviously.
 */
import { HEADER_BYTES_MAX, HEADERS_MAX } from '#wire/limits'
import { CHUNK_LINE_BYTES_MAX, FIRST_LINE_BYTES_MAX, INTERIM_MAX } from '../../http1/limits.ts'
import { readHead, readTrailers } from '../response-head.ts'

export interface PlainAnswer {
  interims: number[]
  /** Null: nothing that could be passed on. */
  head: { readonly status: number; readonly headers: readonly string[] } | null
  body: string
  trailers: readonly string[] | null
  end: 'complete' | 'broken'
  /** Whether it was over before its connection was. */
  self: 'ended' | 'closed'
  /** What nobody asked for. */
  surplus: string
}

const TOKEN = /[!#-'*+\-.^_`|~\w]+/.source
const STATUS = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t -~\x80-\xff]*)?\r\n$/
const FIELD = new RegExp(`^(${TOKEN}):([\\t -~\\x80-\\xff]*)\\r\\n$`)
const QUOTED = /"(?:(?!["\\])[\t -~\x80-\xff]|\\[\t -~\x80-\xff])*"/.source
const CHUNK = new RegExp(`^([0-9a-fA-F]{1,13})(;${TOKEN}(=(${TOKEN}|${QUOTED}))?)*\r\n$`)

class Broken extends Error {}

export function plainAnswer(method: string, text: string): PlainAnswer {
  const answer: PlainAnswer = {
    interims: [],
    head: null,
    body: '',
    trailers: null,
    end: 'broken',
    self: 'closed',
    surplus: '',
  }
  try {
    new Reading(text, answer).run(method)
  } catch (error) {
    if (!(error instanceof Broken)) throw error
  }
  return answer
}

class Reading {
  readonly #text: string
  readonly #answer: PlainAnswer
  #at = 0

  constructor(text: string, answer: PlainAnswer) {
    this.#text = text
    this.#answer = answer
  }

  run(method: string): void {
    const answer = this.#answer
    for (;;) {
      const [, minor, digits] = STATUS.exec(this.#line(FIRST_LINE_BYTES_MAX)) ?? []
      if (digits === undefined) throw new Broken()
      const status = Number(digits)
      const fields = this.#fields()
      if (status === 101 || answer.interims.length >= INTERIM_MAX) {
        if (status < 200) throw new Broken()
      }
      if (status >= 200)
        return this.#final(method, status, minor === '1' ? fields : noCoding(fields))
      answer.interims.push(status)
    }
  }

  #final(method: string, status: number, fields: readonly string[]): void {
    const answer = this.#answer
    const head = readHead(method, status, fields)
    const [lengths, codings] = [named(fields, 'content-length'), named(fields, 'transfer-encoding')]
    if (head.kind === 'invalid' || lengths.length + codings.length > 1) throw new Broken()
    answer.head = { status, headers: head.headers }
    answer.self = 'ended'
    const isEmpty = method === 'HEAD' || status === 204 || status === 304
    if (isEmpty) answer.body = ''
    else if (codings.length === 1) this.#chunks()
    else if (lengths.length === 1) this.#take(Number(lengths[0]))
    else this.#rest()
    if (status === 205) answer.body = ''
    answer.end = 'complete'
    answer.surplus = this.#text.slice(this.#at)
  }

  #rest(): void {
    this.#answer.self = 'closed'
    this.#answer.body = this.#text.slice(this.#at)
    this.#at = this.#text.length
  }

  #take(count: number): void {
    const bytes = this.#text.slice(this.#at, this.#at + count)
    this.#answer.body += bytes
    this.#at += bytes.length
    if (bytes.length < count) throw new Broken()
  }

  #chunks(): void {
    for (;;) {
      const [, size] = CHUNK.exec(this.#line(CHUNK_LINE_BYTES_MAX)) ?? []
      if (size === undefined) throw new Broken()
      if (Number.parseInt(size, 16) === 0) break
      this.#take(Number.parseInt(size, 16))
      if (this.#line(2) !== '\r\n') throw new Broken()
    }
    const trailers = this.#fields()
    this.#answer.trailers = trailers.length === 0 ? null : readTrailers(trailers)
  }

  #line(bytesMax: number): string {
    const end = this.#text.indexOf('\n', this.#at) + 1
    if (end === 0 || end - this.#at > bytesMax) throw new Broken()
    const line = this.#text.slice(this.#at, end)
    this.#at = end
    return line
  }

  #fields(): readonly string[] {
    const fields: string[] = []
    const start = this.#at
    for (;;) {
      const line = this.#line(start + HEADER_BYTES_MAX - this.#at)
      if (line === '\r\n') return fields
      const [, name, value] = FIELD.exec(line) ?? []
      if (name === undefined || value === undefined) throw new Broken()
      fields.push(name, value.replace(/^[ \t]+|[ \t]+$/g, ''))
      if (fields.length > 2 * HEADERS_MAX) throw new Broken()
    }
  }
}

function named(fields: readonly string[], lower: string): readonly string[] {
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1]?.toLowerCase() === lower)
}

/** RFC 9112 section 6.1: HTTP/1.0 has none, and a message that has is faulty. */
function noCoding(fields: readonly string[]): readonly string[] {
  if (named(fields, 'transfer-encoding').length > 0) throw new Broken()
  return fields
}
