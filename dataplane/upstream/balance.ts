/**
 * Which endpoint of a backend takes a request: of the next in turn and another one at random that
 * with fewer requests under way, over all workers. Turns start at a random place, so that replicas
 * and workers do not march in step. Endpoints that refused a connection a moment ago are passed over,
 * unless all did.
 * Pinned by balance.test.ts: "of two, the one with less under way takes it".
 */

export interface Balanced {
  readonly key: string
  standing(nowMs: number): 'good' | 'penalised'
  /** Of all workers. */
  underWay(): number
}

export class Balance<E extends Balanced> {
  readonly endpoints: readonly E[]
  readonly #random: () => number
  #next: number

  /** `random`: from 0 to below 1. */
  constructor(endpoints: readonly E[], random: () => number) {
    this.endpoints = endpoints
    this.#random = random
    this.#next = Math.floor(random() * endpoints.length)
  }

  /** `tried`: endpoints that have already failed this very request. */
  pick(nowMs: number, tried: readonly E[]): E | null {
    const first = this.#take(nowMs, tried)
    // Two at random, not all: who looks at the least of all sends everybody to the same one.
    if (first === null || this.endpoints.length < 2 || first.underWay() === 0) return first
    const other = this.#another(first, nowMs, tried)
    return other !== null && other.underWay() < first.underWay() ? other : first
  }

  #take(nowMs: number, tried: readonly E[]): E | null {
    const { endpoints } = this
    let second = -1
    for (let i = 0; i < endpoints.length; i++) {
      const at = this.#next
      const endpoint = endpoints[at]
      this.#advance(at)
      if (endpoint === undefined || tried.includes(endpoint)) continue
      if (endpoint.standing(nowMs) === 'good') return endpoint
      if (second < 0) second = at
    }
    if (second < 0) return null
    this.#advance(second)
    return endpoints[second] ?? null
  }

  /** In as good a standing. */
  #another(first: E, nowMs: number, tried: readonly E[]): E | null {
    const { endpoints } = this
    const from = Math.floor(this.#random() * endpoints.length)
    const standing = first.standing(nowMs)
    for (let i = 0; i < endpoints.length; i++) {
      const endpoint = endpoints[(from + i) % endpoints.length]
      if (endpoint === undefined || endpoint === first || tried.includes(endpoint)) continue
      if (endpoint.standing(nowMs) === standing) return endpoint
    }
    return null
  }

  #advance(from: number): void {
    this.#next = from + 1 < this.endpoints.length ? from + 1 : 0
  }
}
