/**
 * A recorded session on disk, and a data plane without sockets that it is played to.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Apply } from '../../dataplane/sync/apply.ts'
import type { Reply } from '../../dataplane/sync/apply.ts'
import { createHeldEndpoints } from '../../dataplane/sync/endpoints.ts'
import { createHeld } from '../../dataplane/sync/held.ts'
import type { DownFrame, UpFrame } from '#wire/session'
import { PlainWorkers, listLog } from './world.ts'

export const RECORDED = join(import.meta.dirname, 'recorded')
export const DATA_PLANE = 'recorded-1'

/** One line of a recording, in the order in which things happened. */
export type Line =
  | { readonly stream: 'opens' }
  | { readonly down: DownFrame }
  | { readonly up: UpFrame }

export interface Replayed {
  readonly apply: Apply
  readonly workers: PlainWorkers
  /** What it runs, in an order that depends on nothing else. */
  result(): unknown
}

export function dataPlane(): Replayed {
  const held = createHeld()
  const endpoints = createHeldEndpoints()
  const workers = new PlainWorkers()
  const nothing = (): void => undefined
  const on = { hello: nothing, committed: nothing, refused: nothing, endpoints: nothing }
  const apply = new Apply({ held, endpoints, workers, log: listLog(), on })
  return {
    apply,
    workers,
    result: () => ({
      hash: held.hash,
      ...held.reached,
      objects: [...workers.objects].toSorted(byName).map(([, object]) => object),
      endpoints: Object.fromEntries([...workers.sets].toSorted(byName)),
    }),
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

export async function readRecording(name: string): Promise<readonly string[]> {
  const text = await readFile(join(RECORDED, `${name}.ndjson`), 'utf8')
  return text.trimEnd().split('\n')
}

export function saidIn(reply: Reply): UpFrame | null {
  return reply.kind === 'say' ? reply.frame : null
}
