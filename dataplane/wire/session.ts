/**
 * The frames of one stream between a controller and a data plane: NDJSON over one HTTP/2 exchange,
 * `POST /v1/stream`. The response streams Down frames, the request body carries Up frames.
 * Pinned by test/wire/recorded.test.ts: "a recorded session replays to the same table".
 *
 * Order: up `resume`; down `hello`; then any number of pushes, each `begin`, `put`/`drop` …,
 * `endpoints` of every backend that is new to it, `commit`; up `ack` for each commit, or `refuse`.
 * `endpoints` and `ping` may come at any time between pushes. One commit is in flight at most.
 */
import type { TableObject } from './table.ts'
import type { Source } from './value.ts'

/** The resourceVersion reached for each watched type: decimal strings, compared as integers. */
export type Basis = { readonly [type: string]: string }

export interface Endpoint {
  readonly address: string
  readonly port: number
  readonly zone: string | null
}

/** Complete for its backend; a higher version replaces a lower one, whatever commit is in force. */
export interface EndpointSet {
  readonly backend: string
  /** Grows with every change of this backend's endpoints within one controller's life. */
  readonly version: number
  readonly endpoints: readonly Endpoint[]
}

export type DownFrame =
  | {
      readonly type: 'hello'
      readonly version: number
      /** `namespace/name` of the ApiGateway, which follows from the data plane's identity alone. */
      readonly gateway: string
      /** Names the controller's process; its endpoint versions are comparable only within it. */
      readonly controller: string
      /**
       * Decimal. Raised by an operator who has restored etcd: with a higher one the basis may be
       * behind, and a lower one is behind itself.
       */
      readonly epoch: string
      /** The basis now offered: the data plane is not ready before it runs this or a later one. */
      readonly basis: Basis
    }
  /** `snapshot` starts from nothing; `delta` from the table of this hash, which must be running. */
  | {
      readonly type: 'begin'
      readonly from:
        | { readonly kind: 'snapshot' }
        | { readonly kind: 'delta'; readonly hash: string }
    }
  | { readonly type: 'put'; readonly object: TableObject }
  | { readonly type: 'drop'; readonly kind: TableObject['kind']; readonly key: string }
  | { readonly type: 'endpoints'; readonly set: EndpointSet }
  | {
      readonly type: 'commit'
      readonly basis: Basis
      readonly hash: string
      /** W3C traceparent of the change, or null. */
      readonly trace: string | null
    }
  /** Sent when nothing else was for PING_EVERY_MS; a table hash that differs ends the stream. */
  | { readonly type: 'ping'; readonly hash: string; readonly endpointsHash: string }

export interface Rejection {
  /** The table object that this data plane cannot execute; it answers 503 in its place. */
  readonly kind: TableObject['kind']
  readonly key: string
  readonly sources: readonly Source[]
  readonly reason: string
}

export type UpFrame =
  | {
      readonly type: 'resume'
      readonly version: number
      /** Name of the data plane (its pod). */
      readonly dataPlane: string
      /** What it runs now; null hash: nothing. */
      readonly epoch: string
      readonly basis: Basis
      readonly hash: string | null
    }
  /** Every worker has swapped to the commit of this hash. */
  | {
      readonly type: 'ack'
      readonly basis: Basis
      readonly hash: string
      readonly rejected: readonly Rejection[]
    }
  /** The commit was not applied: the table that ran before it still runs. */
  | { readonly type: 'refuse'; readonly hash: string; readonly reason: string }
