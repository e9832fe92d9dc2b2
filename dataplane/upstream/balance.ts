/**
 * Which endpoint of a backend takes a request: each in turn, from a random one on, so that replicas
 * and workers do not march in step. Endpoints that refused a connection a moment ago are passed
 * over, unless all did.
 * Pinned by balance.test.ts: "every endpoint gets its share, whatever order they came in".
 */

export interface Balanced {
  readonly key: string
  standing(nowMs: number): 'good' | 'penalised'
}

export class Balance<E extends Balanced> {
  readonly endpoints: readonly E[]
  #next: number

  /** `random`: from 0 to below 1. */
  constructor(endpoints: readonly E[], random: () => number) {
    this.endpoints = endpoints
    this.#next = Math.floor(random() * endpoints.length)
  }

  /** `tried`: endpoints that have already failed this very request. */
  pick(nowMs: number, tried: readonly E[]): E | null {
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

  #advance(from: number): void {
    this.#next = from + 1 < this.endpoints.length ? from + 1 : 0
  }
}
