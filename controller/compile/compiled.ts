/**
 * What compile returns: one table per gateway, and a verdict on every object that users wrote. Both
 * come from the same pass, so that status and traffic cannot disagree.
 */
import type { ConditionReason } from '../../crds/condition.ts'
import type { TableObject } from '#wire/table'
import type { Source } from '#wire/value'
import type { Problem } from './problem.ts'
import type { Remembered, SecretBytes } from './snapshot.ts'

export interface Compiled {
  /** By `namespace/name` of the ApiGateway. Tables and objects that did not change keep identity. */
  readonly tables: ReadonlyMap<string, CompiledTable>
  /** By resourceId. A verdict that did not change keeps its identity. */
  readonly verdicts: ReadonlyMap<string, Verdict>
  /** Objects that run by a remembered spec: to be stored as LastValid before the table is pushed. */
  readonly remembering: readonly Remembering[]
  /** The last valid spec of each route and policy, by resourceId: see `nextRemembered`. */
  readonly remembered: ReadonlyMap<string, Remembered>
}

/**
 * The Table of the wire, but that a secret's value is still sealed: the wire encoder alone reveals
 * it. Its digest is what the wire says of the revealed object (Deps.fingerprint).
 */
export interface CompiledTable {
  /** By `objectId(kind, key)`. */
  readonly objects: ReadonlyMap<string, CompiledObject>
  /** Hex; the XOR of all digests, 64 characters. */
  readonly hash: string
}

export type CompiledObject = Exclude<TableObject, { kind: 'secret' }> | SealedSecret

export interface SealedSecret {
  readonly kind: 'secret'
  /** `namespace/name:key` */
  readonly key: string
  readonly sources: readonly Source[]
  readonly value: SecretBytes
  readonly digest: string
}

/** What compile needs from outside and may not import: it knows no node module. */
export interface Deps {
  /** Hex SHA-256 of a text in UTF-8. */
  sha256(text: string): string
  /**
   * The digest of a secret's object as the wire defines it: hex SHA-256 over
   * `JSON.stringify(['secret', key, sources, { base64 }])`. The encoder provides it, since it alone
   * may reveal.
   */
  fingerprint(secret: SecretBytes, key: string, sources: readonly Source[]): string
  /** What can be shown to clients of a certificate; its private key is only looked at. */
  certificate(chain: SecretBytes, key: SecretBytes): ReadCertificate
}

export type ReadCertificate =
  /** PEM, and the DNS names that it is for. */
  | { readonly kind: 'read'; readonly chain: string; readonly names: readonly string[] }
  /** A sentence that says what to do. */
  | { readonly kind: 'refused'; readonly because: string }

export interface Verdict {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Of the object as read, which may be newer than what runs. */
  readonly generation: number
  readonly resourceVersion: string
  readonly accepted: Judgement
  /** Everything that is wrong with it, failures first. */
  readonly problems: readonly Problem[]
  /** Policies: one per targetRef. Routes: one per gateway. Others: empty. */
  readonly targets: readonly TargetVerdict[]
  /** Whether its present spec is what the tables run. */
  readonly runs: 'current' | 'lastValid' | 'nothing'
}

export interface TargetVerdict {
  readonly target: TargetName
  readonly accepted: Judgement
  /** Gateways whose tables carry it here: Programmed when all their members run it. */
  readonly gateways: readonly string[]
  /** Null: as the data planes report. Otherwise decided by compile (Overridden, not accepted …). */
  readonly programmed: Judgement | null
}

export interface TargetName {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** A rule's name, or null for the whole target. */
  readonly sectionName: string | null
}

export interface Judgement {
  readonly status: 'True' | 'False'
  readonly reason: ConditionReason
  /** A sentence without changing counts: equal states have equal messages. */
  readonly message: string
}

/** All that a LastValid object holds: what `Snapshot.remembered` must say again after a restart. */
export interface Remembering extends Remembered {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}
