/**
 * The only way in which a compile step sees the snapshot: each read is recorded, absent objects too,
 * so that a memoised step is run again exactly when something that it looked at has changed.
 */
import type { Installation, Kind, Remembered, Resource } from './snapshot.ts'

export interface Reader {
  /** Null where there is no such object; that is recorded as well. */
  get(kind: Kind, namespace: string, name: string): Resource | null
  /** All of one namespace, by name. Recorded as one read. */
  list(kind: Kind, namespace: string): ReadonlyMap<string, Resource>
  /** Every namespace that has objects of the kind. Recorded as one read. */
  all(kind: Kind): ReadonlyMap<string, ReadonlyMap<string, Resource>>
  remembered(kind: Kind, namespace: string, name: string): Remembered | null
  /** The sentence that says how to grant it, or null where Secrets of the namespace may be read. */
  secretsForbidden(namespace: string): string | null
  readonly installation: Installation
}
