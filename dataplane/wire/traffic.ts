/**
 * What a rule may ask for besides its answer, as part of the table (table.ts). Each member is absent
 * where its rule does not ask for it. Types only; defaults have been put in by the controller.
 */

import type { BackendTarget } from './value.ts'
import type { Delivery } from './delivery.ts'

export interface Traffic {
  readonly cors?: Cors
  readonly addresses?: Addresses
  readonly body?: BodyBound
  readonly faults?: Faults
  readonly mirror?: Mirror
  readonly compression?: Compression
  readonly cache?: Cache
  /** Of a rule with backends: what differs from the defaults. */
  readonly delivery?: Delivery
}

/** Ranges of client addresses; deny wins. */
export interface Addresses {
  /** Null: all. */
  readonly allow: readonly string[] | null
  readonly deny: readonly string[]
}

/** Of the request. */
export interface BodyBound {
  readonly bytesMax: number
}

export interface Faults {
  readonly delay: { readonly share: Share; readonly ms: number } | null
  readonly abort: { readonly share: Share; readonly status: number } | null
}

/** Copies of requests; what it answers is for nobody. */
export interface Mirror {
  readonly to: BackendTarget
  readonly share: Share
}

export interface Compression {
  /** Lower case: `application/json`, or `text/*`. */
  readonly types: readonly string[]
  readonly minBytes: number
}

/** Which answers are kept, and for whom. */
export interface Cache {
  readonly ttlS: number
  /** `private`: each answer for the caller that it was made for. */
  readonly audience: 'private' | 'shared'
  /** What answers differ by besides the caller, the method, the host, the path and the query. */
  readonly by: readonly CacheKeyPart[]
  readonly staleIfErrorS: number
  /** How long beyond its time an answer is served while it is asked for again. Absent: not at all. */
  readonly staleWhileRevalidateS?: number
}

export interface CacheKeyPart {
  readonly of: 'consumer' | 'header' | 'query' | 'claim'
  /** Empty for the consumer. */
  readonly name: string
}

/** How many of SHARE_WHOLE requests: 5 % is 5,000. */
export type Share = number
export const SHARE_WHOLE = 100_000

/** Which pages of other origins may call (WHATWG Fetch, section 3.3). */
export interface Cors {
  /** As browsers write them: `https://a.example`, `https://*.a.example`, `null`; or `*` for all. */
  readonly origins: readonly string[]
  /** Null: any. */
  readonly methods: readonly string[] | null
  /** Lower case; `*` for all but Authorization, which must be named. */
  readonly headers: readonly string[]
  readonly expose: readonly string[]
  readonly credentials: 'allowed' | 'refused'
  /** Null: what browsers do by themselves. */
  readonly maxAgeS: number | null
}
