/**
 * Turns one snapshot of the cluster into the tables that the data planes execute, and a verdict on
 * every object in it. Configuration walk: watch → snapshot → COMPILE → push → ack → status.
 * Pure, so that the order in which events arrived can never matter; each step below is memoised, so
 * that a change costs what it touches. What a step has seen of the snapshot is recorded by itself.
 * Pinned by compile.test.ts: "a shuffled snapshot compiles to the same tables".
 */
import { FRAME_BYTES_MAX, TABLE_BYTES_MAX, TABLE_OBJECTS_MAX } from '#wire/limits'
import type { Room } from './assembly.ts'
import { createAttached } from './attached.ts'
import { compileApiBackend } from './api-backend.ts'
import { compileAuthPart } from './auth.ts'
import type { Compiled, CompiledTable, Deps } from './compiled.ts'
import { compileApiKey, compileConsumer } from './consumer.ts'
import { createConsumers } from './consumers.ts'
import { createInForce } from './in-force.ts'
import { createJudge } from './judge.ts'
import { compileLimitPart } from './limit.ts'
import { createMemo, type Recorder, type Step } from './memo.ts'
import { createPlacement } from './placement.ts'
import { createRemember } from './remember.ts'
import { allKeys } from './resolve.ts'
import { compileRule } from './route.ts'
import { createSealer } from './seal.ts'
import { sendable } from './sendable.ts'
import type { Snapshot } from './snapshot.ts'
import { createTables } from './table.ts'
import { createTls } from './tls.ts'

/** Keeps the results of its steps from one snapshot to the next. */
export interface Compiler {
  compile(snapshot: Snapshot): Compiled
}

const STEPS = sendable({
  compileRule,
  compileAuthPart,
  compileLimitPart,
  compileConsumer,
  compileApiKey,
  compileApiBackend,
})

/** As the contract says. */
const ROOM: Room = {
  objectBytes: FRAME_BYTES_MAX,
  tableBytes: TABLE_BYTES_MAX,
  tableObjects: TABLE_OBJECTS_MAX,
}

export function createCompiler(deps: Deps, room = ROOM): Compiler {
  const from = { memo: createMemo(), sealer: createSealer(deps), steps: STEPS, room }
  // Each object by itself, as it runs: its own spec, or its last valid one.
  const inForce = createInForce(from)
  // Where routes are served: gateways that admit them, hosts and who owns them, final precedence.
  const placement = createPlacement(from, inForce)
  // The policies of each rule, each entry with its origin, and what they make of it.
  const attached = createAttached(from, inForce)
  // Who may be named by a credential.
  const consumers = createConsumers(from, inForce)
  // What hosts are shown with over TLS, and what plain HTTP gets.
  const tls = createTls(from, inForce, placement)
  const earlier = { inForce, placement, attached, consumers, tls }
  // Everything that a gateway's data planes execute; what they cannot hold is closed.
  const before = { ...earlier, tables: createTables(from, earlier) }
  // What the owners of the objects are told.
  const { verdicts } = createJudge(from, before)
  // What has to be known after the next update, which may be invalid.
  const { remembered, remembering } = createRemember(from, inForce, attached)
  const tables = from.memo.step<Compiled['tables']>({
    name: 'tables',
    run: (_, at) => tablesBy(before.tables.table, at),
  })

  return {
    compile: (snapshot) =>
      from.memo.over(snapshot, (at) => ({
        tables: at.ask(tables, ''),
        verdicts: at.ask(verdicts, ''),
        remembering: at.ask(remembering, ''),
        remembered: at.ask(remembered, ''),
      })),
  }
}

/** The same without a past. */
export function compile(snapshot: Snapshot, deps: Deps, room = ROOM): Compiled {
  return createCompiler(deps, room).compile(snapshot)
}

function tablesBy(table: Step<CompiledTable | null>, at: Recorder): Compiled['tables'] {
  const tables = new Map<string, CompiledTable>()
  for (const key of allKeys('ApiGateway', at.reader)) {
    const made = at.ask(table, key)
    if (made !== null) tables.set(key, made)
  }
  return tables
}
