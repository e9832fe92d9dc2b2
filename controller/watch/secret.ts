/**
 * Bytes that cannot print themselves: what Secrets hold between the watch and the wire encoder.
 * Pinned by secret.test.ts: "a secret shows itself in no way but reveal".
 */
import { inspect } from 'node:util'
import type { SecretBytes } from '../compile/snapshot.ts'

const REDACTED = '[secret]'

class Sealed implements SecretBytes {
  readonly #bytes: Buffer
  readonly size: number
  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.size = bytes.length
  }
  reveal(): Buffer {
    return this.#bytes
  }
  toString(): string {
    return REDACTED
  }
  toJSON(): string {
    return REDACTED
  }
  [inspect.custom](): string {
    return REDACTED
  }
}

export function seal(bytes: Buffer): SecretBytes {
  return Object.freeze(new Sealed(bytes))
}
