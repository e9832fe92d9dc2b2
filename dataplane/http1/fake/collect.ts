/**
 * Runs the parser over pieces and collects what it finds, as its plain twin says it.
 */
import type { ParseFailure } from '../failure.ts'
import type { Head, MessageReader } from '../message.ts'
import { Parser } from '../parse.ts'
import type { PlainMessage } from './plain.ts'

export class Collected implements MessageReader {
  readonly heads: Head[] = []
  readonly interims: Head[] = []
  readonly bodies: string[] = []
  readonly trailers: (readonly string[] | null)[] = []
  #body = ''
  head(head: Head): void {
    this.heads.push(head)
    this.#body = ''
  }
  interim(head: Head): void {
    this.interims.push(head)
  }
  data(piece: Buffer): 'more' {
    if (piece.length === 0) throw new Error('an empty piece')
    this.#body += piece.toString('latin1')
    return 'more'
  }
  end(trailers: readonly string[] | null): void {
    this.bodies.push(this.#body)
    this.trailers.push(trailers)
  }
  get messages(): readonly PlainMessage[] {
    return this.bodies.map((body, i) => {
      const { method = '', target = '', version = '', fields = [] } = this.heads[i] ?? {}
      const trailers = this.trailers[i] ?? null
      return { first: [method, target, version], fields, body, trailers: trailers && [...trailers] }
    })
  }
}

export interface Parsed {
  readonly messages: readonly PlainMessage[]
  readonly failure: ParseFailure | null
  /** Bytes of complete messages. */
  readonly used: number
}

/** One request after the other; `cuts`: where the pieces end. */
export function parseRequests(text: string, cuts: readonly number[]): Parsed {
  const collected = new Collected()
  const parser = new Parser('request', collected)
  const bytes = Buffer.from(text, 'latin1')
  let used = 0
  let start = 0
  for (const end of [...cuts, bytes.length]) {
    const piece = bytes.subarray(start, end)
    let at = 0
    while (at < piece.length && parser.state !== 'failed') {
      at = parser.read(piece, at)
      if (parser.state !== 'ended') continue
      used = start + at
      parser.nextRequest()
    }
    start = end
  }
  return { messages: collected.messages, failure: parser.failure, used }
}
