/**
 * What all workers know of endpoints and backends together: made by main, one column per worker,
 * read as sums. A place in it is given by main with the endpoints (places.ts); one that got none
 * counts nothing. A worker that ends takes its column with it, and main clears that.
 * Pinned by counts.test.ts: "a sum is what all columns hold".
 */

/** Goes to a worker as it is: its array is shared, not copied. */
export interface UpstreamMemory {
  /** Workers that may live at once. */
  readonly columns: number
  readonly places: number
  readonly counts: SharedArrayBuffer
  /** Of endpoints (marks.ts), one row for each place. */
  readonly marks: SharedArrayBuffer
}

/** Endpoints and backends of one data plane together: 1.6 MB where four workers serve. */
export const PLACES_MAX = 16_384

/** An endpoint or a backend that found no place. */
export const NO_PLACE = -1

/** `attempts`: under way. `extra`: of a backend, those that are retries or hedges. */
export const FIELDS = { attempts: 0, extra: 1 } as const
export type Field = keyof typeof FIELDS
const FIELD_COUNT = 2

/** Cells of an endpoint in `marks`. */
export const MARKS_COUNT = 5

export function createUpstreamMemory(columns: number, places = PLACES_MAX): UpstreamMemory {
  const counts = new SharedArrayBuffer(places * FIELD_COUNT * columns * 4)
  const marks = new SharedArrayBuffer(places * MARKS_COUNT * 4)
  return { columns, places, counts, marks }
}

export class UpstreamCounts {
  readonly #counts: Int32Array
  readonly #columns: number
  readonly #column: number
  readonly #places: number

  /** `column`: of this worker. */
  constructor(memory: UpstreamMemory, column: number) {
    this.#counts = new Int32Array(memory.counts)
    this.#columns = memory.columns
    this.#places = memory.places
    this.#column = column
  }

  add(place: number, field: Field, amount: 1 | -1): void {
    if (place !== NO_PLACE) Atomics.add(this.#counts, this.#at(place, field) + this.#column, amount)
  }

  sum(place: number, field: Field): number {
    if (place === NO_PLACE) return 0
    const from = this.#at(place, field)
    let sum = 0
    // Plain reads: one that is a moment old does no harm here, and fences cost each request.
    for (let i = 0; i < this.#columns; i++) sum += this.#counts[from + i] ?? 0
    return sum
  }

  /** Main: what is taken out of use starts from nothing. */
  clearPlace(place: number): void {
    const from = place * FIELD_COUNT * this.#columns
    for (let i = 0; i < FIELD_COUNT * this.#columns; i++) Atomics.store(this.#counts, from + i, 0)
  }

  /** Main: a worker is gone, and what it had under way with it. */
  clearColumn(column: number): void {
    for (let row = 0; row < this.#places * FIELD_COUNT; row++) {
      Atomics.store(this.#counts, row * this.#columns + column, 0)
    }
  }

  #at(place: number, field: Field): number {
    return (place * FIELD_COUNT + FIELDS[field]) * this.#columns
  }
}
