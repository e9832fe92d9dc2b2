/**
 * Small pieces of a body put together before they are kept: a buffer of one byte takes a hundred, so
 * that a body sent byte by byte would take a hundred times the memory that it may have. For whoever
 * keeps pieces: aggregates, and both ways of a body whose reader is slow.
 * Pinned by pages.test.ts: "whatever the pieces, the bytes are the same and the buffers are few".
 */

/** What is not larger is copied, and nothing that is smaller is kept for itself. */
const SMALL_BYTES_MAX = 1024
const PAGE_BYTES = 4 * 1024

export class Pages {
  #page: Buffer | null = null
  #used = 0

  /** That wait. */
  get bytes(): number {
    return this.#used
  }

  /** What is complete now, in order; small pieces wait for their page. */
  add(piece: Buffer): readonly Buffer[] {
    if (piece.length > SMALL_BYTES_MAX) {
      const before = this.take()
      return before === null ? [piece] : [before, piece]
    }
    const full = this.#used + piece.length > PAGE_BYTES ? this.take() : null
    this.#page ??= Buffer.allocUnsafeSlow(PAGE_BYTES)
    piece.copy(this.#page, this.#used)
    this.#used += piece.length
    return full === null ? NOTHING : [full]
  }

  /** What waits; null: nothing does. */
  take(): Buffer | null {
    const page = this.#page
    if (page === null) return null
    const taken = page.subarray(0, this.#used)
    this.#page = null
    this.#used = 0
    return taken
  }
}

/** Pages of what comes while others wait: handed on when they are full, or after one turn. */
export class Gathering {
  readonly #pages = new Pages()
  readonly #handOn: (page: Buffer) => void
  #flush: NodeJS.Immediate | null = null

  constructor(handOn: (page: Buffer) => void) {
    this.#handOn = handOn
  }

  /** That wait. */
  get bytes(): number {
    return this.#pages.bytes
  }

  add(piece: Buffer): void {
    for (const page of this.#pages.add(piece)) this.#handOn(page)
    if (this.#pages.bytes > 0) this.#flush ??= setImmediate(() => this.flush())
  }

  /** Whatever waits is handed on now. */
  flush(): void {
    if (this.#flush !== null) clearImmediate(this.#flush)
    this.#flush = null
    const rest = this.#pages.take()
    if (rest !== null) this.#handOn(rest)
  }

  /** Whatever waits is not wanted any more. */
  drop(): void {
    if (this.#flush !== null) clearImmediate(this.#flush)
    this.#flush = null
    this.#pages.take()
  }
}

const NOTHING: readonly Buffer[] = []
