/**
 * The objects of the running table with a change laid over them, so that a new table can be built
 * from both before anything is in force: a bug in building leaves what runs as it was.
 * Proved by build.test.ts.
 */
import { type ObjectKind, objectId, type TableObject, type ValueOf } from '#wire/table'
import type { TableChange } from '../sync/port.ts'
import { Staged } from './staged.ts'

/** One object that a change puts or drops. */
export interface ChangedObject {
  readonly id: string
  readonly kind: ObjectKind
  readonly key: string
  /** Null: dropped. */
  readonly object: TableObject | null
}

export class TableObjects {
  readonly #objects = new Staged<TableObject>()

  /** Lays the change over what runs, and gives what differs. */
  lay(change: TableChange): readonly ChangedObject[] {
    this.#objects.reset()
    if (change.from === 'snapshot') {
      for (const id of this.#objects.runningKeys()) this.#objects.stage(id, null)
    }
    for (const { kind, key } of change.drops) this.#objects.stage(objectId(kind, key), null)
    for (const object of change.puts) {
      const id = objectId(object.kind, object.key)
      // What did not change needs no building, also where a whole table is sent anew.
      if (this.#objects.running(id)?.digest === object.digest) this.#objects.unstage(id)
      else this.#objects.stage(id, object)
    }
    return [...this.#objects.changes].flatMap(([id, object]) => {
      const known = object ?? this.#objects.running(id)
      return known === null ? [] : [{ id, kind: known.kind, key: known.key, object }]
    })
  }

  /** From now on this is what runs. */
  commit(): void {
    this.#objects.commit()
  }

  object(kind: ObjectKind, key: string): TableObject | null {
    return this.#objects.get(objectId(kind, key))
  }

  get<K extends ObjectKind>(kind: K, key: string): ValueOf[K] | null {
    const object = this.object(kind, key)
    return object !== null && isOf(kind, object) ? object.value : null
  }
}

function isOf<K extends ObjectKind>(
  kind: K,
  object: TableObject,
): object is Extract<TableObject, { kind: K }> & { readonly value: ValueOf[K] } {
  return object.kind === kind
}
