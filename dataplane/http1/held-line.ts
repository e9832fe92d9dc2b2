/**
 * A line of which only a part has come: the one thing that the parser copies.
 * Proved by parse.test.ts.
 */

const FIRST_BYTES = 256

export class HeldLine {
  #bytes: Buffer | null = null
  #length = 0

  get length(): number {
    return this.#length
  }

  get firstByte(): number | undefined {
    return this.#bytes?.[0]
  }

  add(piece: Buffer, from: number, to: number): void {
    const length = this.#length + to - from
    const bytes = this.#roomFor(length)
    piece.copy(bytes, this.#length, from, to)
    this.#length = length
  }

  /** Grows by doubling: a line that comes byte by byte is copied twice. */
  #roomFor(length: number): Buffer {
    const old = this.#bytes
    if (old !== null && old.length >= length) return old
    const bytes = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * length))
    old?.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
    return bytes
  }

  /** The line, which is nobody else's from now on. */
  take(): Buffer {
    const bytes = this.#bytes?.subarray(0, this.#length) ?? EMPTY
    this.clear()
    return bytes
  }

  clear(): void {
    this.#bytes = null
    this.#length = 0
  }
}

const EMPTY = Buffer.alloc(0)
