/**
 * The first line of a message (RFC 9112 sections 3 and 4), read in one pass over its bytes. What is
 * not exactly such a line stays unread, and judge.ts says why.
 * Pinned by parse.test.ts: "agrees with its plain twin on any bytes in any pieces".
 */
import { TARGET_BYTES_MAX } from '#wire/limits'
import { isLineEnd, METHOD, ONE, SP, spanEnd, TARGET, UNREAD, VALUE, ZERO } from './bytes.ts'
import { METHOD_BYTES_MAX } from './limits.ts'
import type { Head } from './message.ts'

export class FirstLine {
  method = ''
  target = ''
  status = 0
  version: Head['version'] = '1.1'

  clear(): void {
    this.method = ''
    this.target = ''
    this.status = 0
  }

  /** Returns where the next line begins. */
  readRequest(bytes: Buffer, from: number): number {
    const methodEnd = spanEnd(METHOD, bytes, from)
    if (!isWord(bytes, from, methodEnd, METHOD_BYTES_MAX)) return UNREAD
    const targetStart = methodEnd + 1
    const targetEnd = spanEnd(TARGET, bytes, targetStart)
    if (!isWord(bytes, targetStart, targetEnd, TARGET_BYTES_MAX)) return UNREAD
    const version = versionAt(bytes, targetEnd + 1)
    if (version === null || !isLineEnd(bytes, targetEnd + 9)) return UNREAD
    const text = bytes.toString('latin1', from, targetEnd)
    this.method = text.slice(0, methodEnd - from)
    this.target = text.slice(targetStart - from)
    this.version = version
    return targetEnd + 11
  }

  readStatus(bytes: Buffer, from: number): number {
    const version = versionAt(bytes, from)
    if (version === null || bytes[from + 8] !== SP) return UNREAD
    let status = 0
    for (let at = from + 9; at < from + 12; at++) {
      const digit = (bytes[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) return UNREAD
      status = status * 10 + digit
    }
    if (status < 100 || status > 599) return UNREAD
    const end = reasonEnd(bytes, from + 12)
    if (end === UNREAD) return UNREAD
    this.status = status
    this.version = version
    return end
  }
}

function isWord(bytes: Buffer, start: number, end: number, bytesMax: number): boolean {
  return end > start && end - start <= bytesMax && bytes[end] === SP
}

/** Servers leave the reason out, and the space before it, which section 4 asks for. */
function reasonEnd(bytes: Buffer, from: number): number {
  const at = bytes[from] === SP ? spanEnd(VALUE, bytes, from) : from
  return isLineEnd(bytes, at) ? at + 2 : UNREAD
}

const PREFIX = Buffer.from('HTTP/1.')

function versionAt(bytes: Buffer, from: number): Head['version'] | null {
  for (let i = 0; i < PREFIX.length; i++) if (bytes[from + i] !== PREFIX[i]) return null
  const minor = bytes[from + PREFIX.length]
  if (minor === ONE) return '1.1'
  return minor === ZERO ? '1.0' : null
}
