/**
 * What the workers saw of each endpoint's answers, and whether main has taken it out of use: one cell
 * for all workers, since nothing here has to be taken back when one of them ends.
 * Pinned by outliers.test.ts: "an endpoint that fails in a row is out, and comes back".
 */
import { MARKS_COUNT, NO_PLACE, type UpstreamMemory } from './counts.ts'

/** `errors`, `gatewayErrors`: in a row. `answers`, `failures`: since ever, and they wrap around. */
const MARKS = { errors: 0, gatewayErrors: 1, answers: 2, failures: 3, standing: 4 } as const
export type Mark = Exclude<keyof typeof MARKS, 'standing'>

/** gatewayError: 502, 503, 504, or no answer at all; it is an error too. */
export type Seen = 'answer' | 'error' | 'gatewayError'

const OUT = 1

export class UpstreamMarks {
  readonly #cells: Int32Array

  constructor({ marks }: Pick<UpstreamMemory, 'marks'>) {
    this.#cells = new Int32Array(marks)
  }

  saw(place: number, seen: Seen): void {
    if (place === NO_PLACE) return
    Atomics.add(this.#cells, at(place, 'answers'), 1)
    if (seen === 'answer') this.#end(place, 'errors')
    else {
      Atomics.add(this.#cells, at(place, 'errors'), 1)
      Atomics.add(this.#cells, at(place, 'failures'), 1)
    }
    if (seen === 'gatewayError') Atomics.add(this.#cells, at(place, 'gatewayErrors'), 1)
    else this.#end(place, 'gatewayErrors')
  }

  /** Mostly there is no row to end, and a read costs less than a write that all workers share. */
  #end(place: number, mark: Mark): void {
    if (this.read(place, mark) !== 0) Atomics.store(this.#cells, at(place, mark), 0)
  }

  read(place: number, mark: Mark): number {
    return this.#cells[at(place, mark)] ?? 0
  }

  standing(place: number): 'in' | 'out' {
    return place !== NO_PLACE && this.#cells[at(place, 'standing')] === OUT ? 'out' : 'in'
  }

  // ---- main ------------------------------------------------------------------------------------

  put(place: number, standing: 'in' | 'out'): void {
    Atomics.store(this.#cells, at(place, 'standing'), standing === 'out' ? OUT : 0)
  }

  /** Rows begin anew. */
  forgive(place: number): void {
    Atomics.store(this.#cells, at(place, 'errors'), 0)
    Atomics.store(this.#cells, at(place, 'gatewayErrors'), 0)
  }

  clear(place: number): void {
    for (let i = 0; i < MARKS_COUNT; i++) Atomics.store(this.#cells, place * MARKS_COUNT + i, 0)
  }
}

function at(place: number, mark: keyof typeof MARKS): number {
  return place * MARKS_COUNT + MARKS[mark]
}
