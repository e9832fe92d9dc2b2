/**
 * What an exchange holds of its limits: respond writes RateLimit headers from it, record releases
 * what is held at once.
 */
export interface Taken {
  readonly standings: readonly Standing[]
  /** Slots of concurrency gauges to release when the exchange ends. */
  readonly held: readonly number[]
  /** Names of limits in observe mode that would have refused. */
  readonly observed: readonly string[]
}

/** One limit after the take, for RateLimit-Policy and RateLimit. */
export interface Standing {
  readonly name: string
  readonly count: number
  readonly periodS: number
  readonly remaining: number
  readonly resetS: number
}
