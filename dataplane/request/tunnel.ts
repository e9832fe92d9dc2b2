/**
 * What is left of an exchange once the protocol was switched (RFC 9110 section 7.8): two streams of
 * bytes, each at the pace of its reader and ending on its own. Nobody here looks into them.
 * Proved by dataplane/upstream/http1-tunnel.test.ts and dataplane/phases/respond/tunnel.test.ts.
 */
import type { Failure } from './failure.ts'

/** One end of it, as the other one calls it. */
export interface TunnelSide {
  /** `pause`: no more until the caller's own `resume` is called. */
  data(chunk: Buffer): 'more' | 'pause'
  /** Nothing more comes this way; the other way may go on. */
  end(): void
  /** Whoever said `pause` can take more again. */
  resume(): void
  /** Nothing more in either direction, and what was on its way is lost. */
  abort(failure: Failure): void
}

/** The backend's end. Nothing comes before `open`, which is called once. */
export interface Tunnel extends TunnelSide {
  /** `client`: where the backend's bytes go. */
  open(client: TunnelSide): void
}
