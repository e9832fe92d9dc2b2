/**
 * What the compiler reads: every object of the watched kinds at one moment, from a cluster or from a
 * folder, in one shape. Configuration walk: watch → SNAPSHOT → compile → push → ack → status.
 * Objects are frozen, their maps sorted by key, and an unchanged object keeps its identity from one
 * snapshot to the next: the memo compares pointers only.
 * Pinned by compile.test.ts: "what an edit does not touch keeps its identity".
 */
import type { Basis } from '#wire/session'

/** Kinds with a spec that users write, and the controller's own memory. */
export const OWN_KINDS = [
  'ApiGateway',
  'ApiRoute',
  'AuthPolicy',
  'RateLimitPolicy',
  'Consumer',
  'ApiKey',
  'ApiBackend',
  'LastValid',
] as const
/** Kinds of others that are only read. */
export const FOREIGN_KINDS = [
  'ReferenceGrant',
  'Service',
  'EndpointSlice',
  'Namespace',
  'Secret',
] as const
export type OwnKind = (typeof OWN_KINDS)[number]
export type Kind = OwnKind | (typeof FOREIGN_KINDS)[number]

export interface Resource {
  readonly kind: Kind
  /** '' for cluster-scoped kinds (Namespace). */
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  /** Decimal in a cluster; a content hash in a folder. Only ever handed back to the API server. */
  readonly resourceVersion: string
  /** Milliseconds since 1970. 0 where a folder does not say: then the name decides who is older. */
  readonly createdMs: number
  readonly labels: { readonly [name: string]: string }
  readonly annotations: { readonly [name: string]: string }
  /** The whole object as read, less managedFields and Secret data. Not yet checked. */
  readonly content: { readonly [field: string]: unknown }
  /** Values of a Secret, unprintable; null for every other kind. */
  readonly secrets: ReadonlyMap<string, SecretBytes> | null
}

/** Bytes that cannot print themselves. `reveal` is called by the wire encoder alone. */
export interface SecretBytes {
  /** How many. */
  readonly size: number
  reveal(): Buffer
  /** `[secret]`, like its JSON and its inspection. */
  toString(): string
}

/** namespace → name → object. An inner map keeps its identity while nothing in it changes. */
export type Namespaced = ReadonlyMap<string, ReadonlyMap<string, Resource>>

export interface Snapshot {
  readonly kinds: { readonly [K in Kind]: Namespaced }
  readonly basis: Basis
  /**
   * The last spec of each route and policy that was valid in itself, by `resourceId`: what this
   * process saw, and what LastValid objects hold from before it started.
   */
  readonly remembered: ReadonlyMap<string, Remembered>
  /** Namespaces whose Secrets may not be read, with the sentence that says how to grant it. */
  readonly secretsForbidden: ReadonlyMap<string, string>
  readonly installation: Installation
}

export interface Remembered {
  readonly uid: string
  readonly generation: number
  readonly spec: unknown
  /**
   * Routes only: the policies that applied when the spec was last valid. An update can be invalid
   * while its policies already follow it (a renamed rule), so the old rules keep what they had.
   */
  readonly policies?: readonly RememberedPolicy[]
}

/** A policy as it was, and where it attached. It counts only while that object (uid) exists. */
export interface RememberedPolicy {
  readonly kind: 'AuthPolicy' | 'RateLimitPolicy'
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly createdMs: number
  readonly spec: unknown
  readonly target: {
    readonly kind: 'ApiGateway' | 'Namespace' | 'ApiRoute'
    readonly namespace: string
    readonly name: string
    /** A rule's name, or null for the whole target. */
    readonly sectionName: string | null
  }
}

/** What does not come from objects: fixed for the life of the process. */
export interface Installation {
  /** `namespace/name` of the gateway of routes that name none. */
  readonly defaultGateway: string
  /** A folder has no Services of its own: unresolved ones get the built-in sample backend. */
  readonly unresolvedServices: 'problem' | 'sample'
}

export function resourceId(kind: string, namespace: string, name: string): string {
  return `${kind} ${namespace}/${name}`
}
