/**
 * The field lines of a head or of trailers (RFC 9112 section 5): scanned byte by byte where they
 * lie, and made text once for all lines of a piece. What frames the message is noted on the way.
 * Pinned by parse.test.ts: "agrees with its plain twin on any bytes in any pieces".
 */
import { HEADER_BYTES_MAX, HEADERS_MAX } from '#wire/limits'
import { COLON, HTAB, isLineEnd, SP, spanEnd, TOKEN, UNREAD, VALUE } from './bytes.ts'
import type { ParseFailure } from './failure.ts'
import type { FramingFields } from './framing.ts'

/** Of one field: where its name begins and ends, and where its value does. */
const MARKS = 4

export class FieldLines implements FramingFields {
  /** Flat list of what was read. */
  list: string[] = []
  lengths = 0
  length = ''
  codings = 0
  coding = ''
  connection: string | null = null
  /** The empty line has come. */
  over: 'no' | 'yes' = 'no'
  /** What the lines so far may still be followed by. */
  bytesLeft = HEADER_BYTES_MAX
  #count = 0
  /** Of lines that are not yet text. */
  readonly #marks: number[] = []
  #marked = 0

  clear(): void {
    this.list = []
    this.lengths = 0
    this.codings = 0
    this.connection = null
    this.over = 'no'
    this.bytesLeft = HEADER_BYTES_MAX
    this.#count = 0
    this.#marked = 0
  }

  /** One line; returns where the next one begins. */
  read(bytes: Buffer, from: number): number {
    const nameEnd = spanEnd(TOKEN, bytes, from)
    if (nameEnd === from) return this.#readEnd(bytes, from)
    if (bytes[nameEnd] !== COLON) return UNREAD
    let valueStart = nameEnd + 1
    while (isSpace(bytes[valueStart])) valueStart++
    const end = spanEnd(VALUE, bytes, valueStart)
    if (!isLineEnd(bytes, end)) return UNREAD
    let valueEnd = end
    while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1])) valueEnd--
    this.#mark(from, nameEnd)
    this.#mark(valueStart, valueEnd)
    this.#count++
    return end + 2
  }

  #readEnd(bytes: Buffer, from: number): number {
    if (!isLineEnd(bytes, from)) return UNREAD
    this.over = 'yes'
    return from + 2
  }

  #mark(start: number, end: number): void {
    this.#marks[this.#marked++] = start
    this.#marks[this.#marked++] = end
  }

  /** After each line: whether it was one too much. */
  spend(lineBytes: number): ParseFailure | null {
    this.bytesLeft -= lineBytes
    if (this.bytesLeft < 0) return 'fields-too-large'
    return this.#count > HEADERS_MAX ? 'too-many-fields' : null
  }

  /** Makes text of the lines read since; before `bytes` is given back. */
  flush(bytes: Buffer): void {
    if (this.#marked === 0) return
    const marks = this.#marks
    const base = marks[0] ?? 0
    const text = bytes.toString('latin1', base, marks[this.#marked - 1])
    for (let i = 0; i < this.#marked; i += MARKS) {
      const name = text.slice((marks[i] ?? 0) - base, (marks[i + 1] ?? 0) - base)
      const value = text.slice((marks[i + 2] ?? 0) - base, (marks[i + 3] ?? 0) - base)
      this.list.push(name, value)
      if (NOTED[name.length] === 1) this.#note(name, value)
    }
    this.#marked = 0
  }

  #note(name: string, value: string): void {
    switch (name.toLowerCase()) {
      case 'content-length':
        this.lengths++
        this.length = value
        return
      case 'transfer-encoding':
        this.codings++
        this.coding = value
        return
      case 'connection':
        this.connection = this.connection === null ? value : `${this.connection},${value}`
    }
  }
}

/** Lengths of the names that are noted: most lines cost one look-up. */
const NOTED = new Uint8Array(HEADER_BYTES_MAX + 1)
for (const name of ['content-length', 'transfer-encoding', 'connection']) NOTED[name.length] = 1

/** RFC 9112 section 5.1: the space around a value is not part of it. */
function isSpace(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB
}
