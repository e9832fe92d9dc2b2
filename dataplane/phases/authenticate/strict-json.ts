/**
 * JSON as a token may hold it: an object whose members all have different names, because two
 * parsers that keep different ones of two equal names would see two different tokens. Used for the
 * header and the claims of a JWT, before anything in them is believed.
 * Pinned by strict-json.test.ts: "what it accepts, JSON.parse reads the same".
 */
import { isUtf8 } from 'node:buffer'

/** Whole numbers beyond 2^53 keep all their digits as bigint. */
export type StrictValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly StrictValue[]
  | StrictObject
/** Has no prototype: any member name is only a name. */
export interface StrictObject {
  readonly [name: string]: StrictValue
}

/** Claims are flat but for roles and addresses; deeper ones would only cost. */
const NESTING_MAX = 16

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/** Null where the bytes are not exactly one JSON object in UTF-8, or hold a name twice. */
export function parseStrictObject(bytes: Buffer): StrictObject | null {
  if (!isUtf8(bytes)) return null
  const reader = new Reader(bytes.toString('utf8'))
  try {
    return reader.document()
  } catch (error) {
    if (error instanceof NotStrict) return null
    throw error
  }
}

class NotStrict extends Error {}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): StrictObject {
    this.#space()
    this.#expect('{')
    const value = this.#object(1)
    this.#space()
    if (this.#at !== this.#text.length) throw new NotStrict()
    return value
  }

  #value(depth: number): StrictValue {
    if (depth > NESTING_MAX) throw new NotStrict()
    switch (this.#text[this.#at]) {
      case '{':
        this.#at++
        return this.#object(depth)
      case '[':
        this.#at++
        return this.#list(depth)
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  /** After the opening brace. */
  #object(depth: number): StrictObject {
    const members: Record<string, StrictValue> = Object.create(null)
    this.#space()
    if (this.#took('}')) return members
    for (;;) {
      this.#space()
      const name = this.#string()
      if (name in members) throw new NotStrict()
      this.#space()
      this.#expect(':')
      this.#space()
      members[name] = this.#value(depth + 1)
      this.#space()
      if (this.#took('}')) return members
      this.#expect(',')
    }
  }

  /** After the opening bracket. */
  #list(depth: number): readonly StrictValue[] {
    const items: StrictValue[] = []
    this.#space()
    if (this.#took(']')) return items
    for (;;) {
      this.#space()
      items.push(this.#value(depth + 1))
      this.#space()
      if (this.#took(']')) return items
      this.#expect(',')
    }
  }

  #string(): string {
    this.#expect('"')
    const start = this.#at
    let escapes = 0
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      // RFC 8259, 7: control characters are escaped; NaN is the end of the text
      if (!(code >= SPACE)) throw new NotStrict()
      this.#at++
      if (code === QUOTE) break
      if (code !== BACKSLASH) continue
      escapes++
      this.#at++
    }
    if (escapes === 0) return this.#text.slice(start, this.#at - 1)
    return this.#unescaped(this.#text.slice(start - 1, this.#at))
  }

  /** A lone surrogate has no UTF-8 form: parsers disagree about what it becomes. */
  #unescaped(quoted: string): string {
    try {
      const value: unknown = JSON.parse(quoted)
      if (typeof value === 'string' && value.isWellFormed()) return value
    } catch {}
    throw new NotStrict()
  }

  #number(): number | bigint {
    const start = this.#at
    while (isPartOfNumber(this.#text.charCodeAt(this.#at))) this.#at++
    const text = this.#text.slice(start, this.#at)
    const value = Number(text)
    if (!NUMBER.test(text) || !Number.isFinite(value)) throw new NotStrict()
    const digitsWouldBeLost = Number.isInteger(value) && !Number.isSafeInteger(value)
    return digitsWouldBeLost && /^-?\d+$/.test(text) ? BigInt(text) : value
  }

  #word<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new NotStrict()
    this.#at += word.length
    return value
  }

  #space(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++
  }

  #took(char: string): boolean {
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #expect(char: string): void {
    if (!this.#took(char)) throw new NotStrict()
  }
}

function isSpace(code: number): boolean {
  return code === SPACE || code === 0x0a || code === 0x0d || code === 0x09
}

/** Digits, sign, point, exponent: what may stand where is for the pattern. */
function isPartOfNumber(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || '+-.eE'.includes(String.fromCharCode(code))
}
