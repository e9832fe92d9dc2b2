/**
 * What the main thread and the workers say to each other about key sets: main fetches them and
 * says what changed, a worker that meets an unknown key asks. Workers open no connection for it.
 * Pinned by keys-message.test.ts: "two entries with one source share a key set".
 */
import type { JwtKeys } from '#wire/auth'
import type { TableObject } from '#wire/table'

/** Where the keys of an issuer come from. Keys written in a policy need no fetching. */
export type KeySource =
  | { readonly kind: 'discovery'; readonly issuer: string }
  | { readonly kind: 'jwksUri'; readonly uri: string }
  /** Called at these addresses; see JwtKeys. */
  | {
      readonly kind: 'service'
      readonly issuer: string
      readonly uri: string | null
      readonly addresses: readonly string[]
    }

/** The public members of one key (RFC 7517), already checked by main. */
export interface PublicJwk {
  readonly kty: 'RSA' | 'EC' | 'OKP'
  readonly kid?: string
  readonly alg?: string
  readonly n?: string
  readonly e?: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
}

export interface KeySet {
  /** `keySetId` of its source. */
  readonly id: string
  /** Differs whenever the keys do. */
  readonly generation: number
  /** Null: none were ever fetched, or the last are older than the grace. */
  readonly keys: readonly PublicJwk[] | null
}

/** main → worker: these sets changed; each is complete. A new worker first gets all. */
export interface KeySetsMessage {
  readonly type: 'keySets'
  readonly sets: readonly KeySet[]
}

/** worker → main: a token named a key that this set does not have. */
export interface UnknownKeyMessage {
  readonly type: 'unknownKey'
  readonly keySet: string
}

export function keySetId(source: KeySource): string {
  switch (source.kind) {
    case 'discovery':
      return `discovery ${source.issuer}`
    case 'jwksUri':
      return `jwks ${source.uri}`
    case 'service': {
      // whoever may not call the Service must not have its keys fetched by those who may
      const url = source.uri === null ? `discovery ${source.issuer}` : `jwks ${source.uri}`
      return `${url} at ${source.addresses.join()}`
    }
    default:
      return source satisfies never
  }
}

/** Null for keys that stand in the policy itself. */
export function keySourceOf(issuer: string, keys: JwtKeys): KeySource | null {
  switch (keys.kind) {
    case 'discovery':
      return { kind: 'discovery', issuer }
    case 'jwksUri':
      return { kind: 'jwksUri', uri: keys.uri }
    case 'service':
      return { kind: 'service', issuer, uri: keys.uri, addresses: keys.addresses }
    case 'inline':
      return null
    default:
      return keys satisfies never
  }
}

/** Every source that a table names, each once: what main has to keep fresh. */
export function keySourcesOf(objects: Iterable<TableObject>): readonly KeySource[] {
  const sources = new Map<string, KeySource>()
  for (const object of objects) {
    if (object.kind !== 'authenticate') continue
    for (const entry of object.value.entries) {
      const source = entry.kind === 'jwt' ? keySourceOf(entry.issuer, entry.keys) : null
      if (source !== null) sources.set(keySetId(source), source)
    }
  }
  return [...sources.values()]
}
