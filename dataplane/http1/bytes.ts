/**
 * Which bytes may stand where, as tables: one look-up for each byte of a head.
 * Proved by parse.test.ts.
 */

export const HTAB = 9
export const LF = 10
export const CR = 13
export const SP = 32
export const ZERO = 48
export const ONE = 49
export const COLON = 58

/** Instead of a position: the line is not there whole, or not as it must be. */
export const UNREAD = -1

function tableOf(pattern: RegExp): Uint8Array {
  const bytes = new Uint8Array(256)
  for (let code = 0; code < 256; code++) {
    if (pattern.test(String.fromCharCode(code))) bytes[code] = 1
  }
  return bytes
}

/** RFC 9110 section 5.6.2: a field's name. */
export const TOKEN = tableOf(/[!#$%&'*+\-.^_`|~0-9A-Za-z]/)

/**
 * Methods as all registered ones are spelled: a backend that folds `get` to `GET` must not answer
 * what no rule for GET has seen.
 */
export const METHOD = tableOf(/[A-Z-]/)

/** Printable ASCII: what a URL may hold and some that browsers send; the front judges further. */
export const TARGET = tableOf(/[!-~]/)

/** RFC 9110 section 5.5: field-content. No CR, no LF, no NUL, no other control byte. */
export const VALUE = tableOf(/[\t -~\u0080-\u00ff]/)

/** The value of a hex digit, 255 for what is none. */
export const HEX = new Uint8Array(256).fill(255)
for (let i = 0; i < 16; i++) {
  const digit = i.toString(16)
  HEX[digit.charCodeAt(0)] = i
  HEX[digit.toUpperCase().charCodeAt(0)] = i
}

/** Where the first byte stands, from `from` on, that is not one of the table's. */
export function spanEnd(table: Uint8Array, bytes: Buffer, from: number): number {
  const { length } = bytes
  let at = from
  while (at < length && table[bytes[at] ?? 0] === 1) at++
  return at
}

export function isLineEnd(bytes: Buffer, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF
}
