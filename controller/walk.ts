/**
 * The configuration walk as it runs: WATCH → SNAPSHOT → COMPILE → PUSH → ACK → STATUS, again on
 * every change, one at a time, with whatever has changed meanwhile taken together.
 * Pinned by walk.test.ts: "a change during a compile is not lost".
 */
import type { Compiled } from './compile/compiled.ts'
import type { Remembered, Snapshot } from './compile/snapshot.ts'
import type { Logger } from './log.ts'
import type { Push } from './push/push.ts'
import type { LastValidMemory } from './watch/last-valid.ts'
import type { Source } from './watch/source.ts'

export interface WalkOptions {
  readonly source: Pick<Source, 'synced' | 'snapshot'>
  readonly compile: (snapshot: Snapshot) => Compiled
  readonly memory: LastValidMemory
  readonly push: Pick<Push, 'offer' | 'endpoints'>
  /** `spec.epoch` of each gateway, or what stands for it. */
  readonly epochs: (snapshot: Snapshot) => ReadonlyMap<string, number>
  /** What has to be there before a table is offered (a folder's samples). */
  readonly prepare: (compiled: Compiled) => Promise<void>
  /** After each offer. */
  readonly compiled: (compiled: Compiled, snapshot: Snapshot) => void
  readonly log: Logger
}

export interface Walk {
  /** Something changed; called by the source and by nobody else. */
  changed(): void
  /** Resolves once everything that had changed by now has been offered. */
  settled(): Promise<void>
  stop(): void
}

export function startWalk(options: WalkOptions): Walk {
  let standing: 'waiting' | 'rests' | 'walks' | 'walksAndMore' | 'stopped' = 'waiting'
  let remembered: ReadonlyMap<string, Remembered> = new Map()
  let settling: (() => void)[] = []

  async function walkOnce(): Promise<void> {
    const { source, memory, push } = options
    const read = source.snapshot(remembered)
    push.endpoints(read)
    const snapshot = { ...read, remembered: together(memory.remembered(read), remembered) }
    const compiled = options.compile(snapshot)
    remembered = compiled.remembered
    await memory.keep(compiled.remembering, snapshot)
    await options.prepare(compiled)
    push.offer({ tables: compiled.tables, basis: snapshot.basis, epochs: options.epochs(snapshot) })
    options.compiled(compiled, snapshot)
    await memory.forget(compiled.remembering, snapshot)
  }

  async function walk(): Promise<void> {
    standing = 'walks'
    await walkOnce().catch((error: unknown) => {
      // Our own bug: what ran before keeps running, and the next change tries again.
      options.log.error({ error: String(error) }, `bug: the walk failed: ${stackOf(error)}`)
    })
    if (isStopped()) return
    if (hasMore()) {
      void walk()
      return
    }
    standing = 'rests'
    for (const resolve of settling.splice(0)) resolve()
  }

  const isStopped = (): unknown => standing === 'stopped'
  const hasMore = (): unknown => standing === 'walksAndMore'

  function changed(): void {
    if (standing === 'rests') void walk()
    else if (standing === 'walks') standing = 'walksAndMore'
  }

  void options.source.synced.then(() => {
    if (standing === 'waiting') void walk()
  })

  return {
    changed,
    settled() {
      if (standing === 'rests' || standing === 'stopped') return Promise.resolve()
      return new Promise((resolve) => settling.push(resolve))
    },
    stop() {
      standing = 'stopped'
      for (const resolve of settling.splice(0)) resolve()
      settling = []
    },
  }
}

/** What this process saw counts more than what was stored before it. */
function together(
  stored: ReadonlyMap<string, Remembered>,
  seen: ReadonlyMap<string, Remembered>,
): ReadonlyMap<string, Remembered> {
  if (stored.size === 0) return seen
  const all = new Map(stored)
  for (const [id, entry] of seen) all.set(id, entry)
  return all
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : ''
}
