/**
 * Which host a TLS client asks for, read from its first message before anything is computed for it:
 * a name that nobody serves costs no handshake. Only the name is read; OpenSSL reads the message
 * again and is the one to refuse what is wrong with it.
 * Pinned by client-hello.test.ts: "a real client's name is read, however its message is cut".
 */
import type { Look } from './first-bytes.ts'
import { readHost } from './host.ts'

export type ClientHello =
  /** Null: the client names no host. */
  { readonly kind: 'hello'; readonly serverName: string | null } | { readonly kind: 'notTls' }

/** With post-quantum keys a message takes 2 KB; several records may carry it. */
export const CLIENT_HELLO_BYTES_MAX = 16 * 1024

const RECORD_HEAD = 5
const HANDSHAKE = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const HOST_NAME = 0

const NOT_TLS: ClientHello = { kind: 'notTls' }
const NO_NAME: ClientHello = { kind: 'hello', serverName: null }

export const readClientHello: Look<ClientHello> = (bytes) => {
  const handshake = handshakeOf(bytes)
  if (!Buffer.isBuffer(handshake)) return handshake === 'wait' ? 'wait' : NOT_TLS
  if (handshake.length < 4) return 'wait'
  if (handshake[0] !== CLIENT_HELLO) return NOT_TLS
  const length = handshake.readUIntBE(1, 3)
  if (length > CLIENT_HELLO_BYTES_MAX) return NOT_TLS
  if (handshake.length < 4 + length) return 'wait'
  return nameIn(new Cursor(handshake.subarray(4, 4 + length)))
}

/** The payload of the records so far (RFC 8446 section 5.1), as far as they are whole. */
function handshakeOf(bytes: Buffer): Buffer | 'wait' | 'notTls' {
  const parts: Buffer[] = []
  let at = 0
  while (bytes.length - at >= RECORD_HEAD) {
    const length = bytes.readUInt16BE(at + 3)
    if (bytes[at] !== HANDSHAKE || bytes[at + 1] !== 3 || length === 0) return 'notTls'
    const end = at + RECORD_HEAD + length
    if (end > bytes.length) break
    parts.push(bytes.subarray(at + RECORD_HEAD, end))
    at = end
  }
  if (parts.length > 0) return Buffer.concat(parts)
  return bytes.length === 0 || bytes[0] === HANDSHAKE ? 'wait' : 'notTls'
}

/** RFC 8446 section 4.1.2, and section 3 of RFC 6066. */
function nameIn(hello: Cursor): ClientHello {
  hello.skip(2 + 32)
  hello.skip(hello.number(1)) // session
  hello.skip(hello.number(2)) // cipher suites
  hello.skip(hello.number(1)) // compression
  const extensions = hello.part(hello.number(2))
  while (extensions.left > 0) {
    const type = extensions.number(2)
    const content = extensions.part(extensions.number(2))
    if (type === SERVER_NAME) return hostIn(content.part(content.number(2)))
  }
  return NO_NAME
}

function hostIn(names: Cursor): ClientHello {
  while (names.left > 0) {
    const type = names.number(1)
    const text = names.part(names.number(2)).text()
    if (type !== HOST_NAME) continue
    const read = readHost(text)
    // What is no name is nobody's: there is no certificate for it.
    return { kind: 'hello', serverName: read.kind === 'host' ? read.host : text }
  }
  return NO_NAME
}

/** Reads forwards and never beyond the end: what is not there is 0. */
class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  number(bytes: 1 | 2): number {
    const value = this.left < bytes ? 0 : this.#bytes.readUIntBE(this.#at, bytes)
    this.skip(bytes)
    return value
  }

  skip(bytes: number): void {
    this.#at = Math.min(this.#bytes.length, this.#at + bytes)
  }

  part(bytes: number): Cursor {
    const from = this.#at
    this.skip(bytes)
    return new Cursor(this.#bytes.subarray(from, this.#at))
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at)
  }
}
