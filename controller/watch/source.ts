/**
 * What both sources of objects are to the rest of the controller: a cluster's API server and a
 * folder of YAML cannot be told apart from here on.
 * Proved by folder.test.ts.
 */
import type { Kind, Remembered, Resource, Snapshot } from '../compile/snapshot.ts'

export interface Source {
  /** Resolves once everything there is has been read; nothing is pushed before. */
  readonly synced: Promise<void>
  snapshot(remembered: ReadonlyMap<string, Remembered>): Snapshot
  /** The object as the source has it now; null where it is gone. */
  current(kind: Kind, namespace: string, name: string): Resource | null
  /** The newest resourceVersion of an object whose content may be older: status writes raise it. */
  version(kind: Kind, namespace: string, name: string): string
  /** The status as last read; null where there is none, and in a folder. */
  statusBefore(kind: Kind, namespace: string, name: string): unknown
  close(): Promise<void>
}

/** Called after one or more objects changed, once per turn of the event loop. */
export type Changed = () => void
