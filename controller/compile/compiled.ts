/**
 * What compile returns: one table per gateway, and a verdict on every object that users wrote. Both
 * come from the same pass, so that status and traffic cannot disagree.
 */
import type { ConditionReason } from '../../crds/condition.ts'
import type { Table } from '#wire/table'
import type { Problem } from './problem.ts'

export interface Compiled {
  /** By `namespace/name` of the ApiGateway. */
  readonly tables: ReadonlyMap<string, Table>
  /** By resourceId. */
  readonly verdicts: ReadonlyMap<string, Verdict>
  /** Objects that run by a remembered spec: to be stored as LastValid before the table is pushed. */
  readonly remembering: readonly Remembering[]
}

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

export interface Remembering {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly generation: number
  readonly spec: unknown
}
