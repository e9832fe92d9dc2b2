/**
 * What sync asks of the process it runs in: the workers behind one door. `main.ts` opens it; tests
 * stand behind it with a plain table.
 */
import type { EndpointSet, Rejection } from '#wire/session'
import type { ObjectKind, TableObject } from '#wire/table'

/** One commit, decoded and checked. */
export interface TableChange {
  readonly from: 'snapshot' | 'delta'
  readonly puts: readonly TableObject[]
  readonly drops: readonly { readonly kind: ObjectKind; readonly key: string }[]
  /** Of the table after it. */
  readonly hash: string
}

export interface Workers {
  /** Resolves once every worker serves the changed table. A bug in one rejects: nothing swapped. */
  swap(change: TableChange): Promise<readonly Rejection[]>
  endpoints(sets: readonly EndpointSet[]): void
}
