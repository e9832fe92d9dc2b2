/**
 * A gateway under measurement, and the cores: it has one alone; the backend and the load share the
 * other, so that neither takes what is being measured.
 */
export const GATEWAY_CORE = 0
export const LOAD_CORE = 1

export interface Backend {
  readonly port: number
}

export interface Peer {
  readonly name: string
  /** Without a path. */
  readonly url: string
  readonly pid: number
}
