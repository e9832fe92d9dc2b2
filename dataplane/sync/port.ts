/**
 * What sync asks of the process it runs in: the workers behind one door, and a log. `main.ts` opens
 * it; tests stand behind it with a plain table.
 */
import type { EndpointSet, Rejection } from '#wire/session'
import type { ObjectKind, TableObject } from '#wire/table'

/** One commit, decoded and checked. */
export interface TableChange {
  /** `snapshot`: the puts are the whole table, and what ran before is gone. */
  readonly from: 'snapshot' | 'delta'
  readonly puts: readonly TableObject[]
  readonly drops: readonly { readonly kind: ObjectKind; readonly key: string }[]
  /** Of the table after it. */
  readonly hash: string
}

export interface Workers {
  /**
   * Resolves once every worker serves the changed table, with everything in that table that cannot
   * be executed, whether this change brought it or an earlier one. A bug in a worker rejects: then
   * nothing was swapped. Never called before the last one has settled.
   */
  swap(change: TableChange): Promise<readonly Rejection[]>
  /**
   * Each set replaces what its backend had, whatever its version: sync has compared them. Sets of
   * backends that are new to a table come just before its swap, and go with the swap that drops
   * their backend. Where that swap fails they stay, and are of no use.
   */
  endpoints(sets: readonly EndpointSet[]): void
}

/** A pino logger fits; tests pass a list. */
export interface Logger {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}
