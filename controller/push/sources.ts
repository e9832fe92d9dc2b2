/**
 * Since which table each resource has been carried in its present generation: by it and by what each
 * data plane has acknowledged, status knows where a generation runs.
 * Pinned by offer.test.ts: "a generation counts from the first table that carries it".
 */
import type { CompiledObject } from '../compile/compiled.ts'
import type { CarriedResource } from './report.ts'

export interface SourceVersions {
  /** Null: no object of the newest table was made from this generation. */
  since(uid: string, generation: number): number | null
  /** What is carried in a generation that came after this version. */
  after(version: number): Iterable<CarriedResource>
  apply(before: CompiledObject | undefined, after: CompiledObject | null, version: number): void
}

interface Carried {
  readonly generation: number
  readonly version: number
  /** Objects of the newest table that were made from it. */
  readonly objects: number
}

export function createSources(): SourceVersions {
  const carried = new Map<string, Carried>()

  function add(uid: string, generation: number, version: number): void {
    const known = carried.get(uid)
    const objects = (known?.objects ?? 0) + 1
    // While one table changes several objects of a resource, the newest of its generations counts.
    const older = known?.version === version && known.generation > generation
    if (known === undefined || (known.generation !== generation && !older)) {
      carried.set(uid, { generation, version, objects })
    } else carried.set(uid, { ...known, objects })
  }

  function remove(uid: string): void {
    const known = carried.get(uid)
    if (known === undefined) return
    if (known.objects === 1) carried.delete(uid)
    else carried.set(uid, { ...known, objects: known.objects - 1 })
  }

  return {
    *after(version) {
      for (const [uid, known] of carried) {
        if (known.version > version) {
          yield { uid, generation: known.generation, version: known.version }
        }
      }
    },
    since(uid, generation) {
      const known = carried.get(uid)
      return known?.generation === generation ? known.version : null
    },
    apply(before, after, version) {
      // In this order, so that an object that stays does not make its resource seem new.
      for (const { uid, generation } of after?.sources ?? []) add(uid, generation, version)
      for (const { uid } of before?.sources ?? []) remove(uid)
    },
  }
}
