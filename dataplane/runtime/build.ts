/**
 * From the objects of a table to what the request path runs, incrementally: a change builds anew
 * only the rules that it touches or that have read what it touches, and the hosts that hold them.
 * Configuration walk: push → sync → BUILD → swap. Nothing is in force before `commit`.
 * Pinned by build.test.ts: "after any changes the table is what building it from nothing gives".
 */
import assert from 'node:assert/strict'
import type { Rejection } from '#wire/session'
import { type Backend, objectId } from '#wire/table'
import { inOneGo, type Sliced } from './slices.ts'
import type { TableChange } from '../sync/port.ts'
import { BuiltGateway, CLOSED, type GatewayState } from './built-gateway.ts'
import { BuiltHosts } from './built-hosts.ts'
import { BuiltRules } from './built-rules.ts'
import { BuiltTls } from './built-tls.ts'
import type { TableDirectory } from './directory.ts'
import { TableMatcher } from './matcher.ts'
import { type ChangedObject, TableObjects } from './objects.ts'
import type { PrepareEnvironment } from './prepare.ts'
import type { Refusal } from './readings.ts'
import type { PreparedTable, Runtime } from './runtime.ts'
import type { TlsHosts } from './tls-hosts.ts'

export interface BuildEnvironment extends PrepareEnvironment {
  readonly directory: TableDirectory
}

export interface Built {
  readonly table: PreparedTable
  /** Of the same identity while no backend has changed. */
  readonly backends: ReadonlyMap<string, Backend>
  /** Everything in the table that this data plane cannot execute. */
  readonly rejections: readonly Rejection[]
  /** To be called in the turn in which the table is put in force. */
  commit(): void
}

/** Builds, puts in force in one turn, and says what could not be prepared. */
export function swapTable(
  runtime: Runtime,
  builder: TableBuilder,
  change: TableChange,
): readonly Rejection[] {
  const built = builder.build(change)
  built.commit()
  runtime.upstream.backends(built.backends)
  runtime.table = built.table
  return built.rejections
}

/** What a worker runs before its first table: nothing. */
export function emptyTable(): PreparedTable {
  return tableOf('', CLOSED, new TableMatcher(new Map()), null)
}

export class TableBuilder {
  readonly #directory: TableDirectory
  readonly #objects = new TableObjects()
  readonly #rules: BuiltRules
  readonly #hosts: BuiltHosts
  readonly #gateway: BuiltGateway
  readonly #tls: BuiltTls
  /** What is staged in all of these belongs to the change that was built last. */
  #latest: TableChange | null = null

  constructor(env: BuildEnvironment) {
    this.#directory = env.directory
    this.#rules = new BuiltRules(env, this.#objects)
    this.#hosts = new BuiltHosts(this.#objects, this.#rules)
    this.#gateway = new BuiltGateway(this.#objects)
    this.#tls = new BuiltTls(this.#objects)
  }

  build(change: TableChange): Built {
    return inOneGo(this.building(change))
  }

  /** Nothing of it is in force before `commit`, so that exchanges may run between its slices. */
  *building(change: TableChange): Sliced<Built> {
    this.#latest = change
    const changed = this.#objects.lay(change)
    yield
    const rulesBuilt = yield* this.#rules.build(changed)
    const matcher = yield* this.#hosts.build(changed, rulesBuilt)
    const state = this.#gateway.build(changed)
    const tls = this.#tls.build(changed)
    return {
      table: tableOf(change.hash, state, matcher, tls),
      backends: state.backends,
      rejections: this.#rejections(state.refusals),
      commit: () => {
        assert(this.#latest === change, 'only what was built last can come into force, once')
        this.#latest = null
        this.#rules.commit()
        this.#hosts.commit(matcher)
        this.#gateway.commit(state)
        this.#tls.commit()
        for (const one of changed) this.#fileIn(one)
        this.#objects.commit()
      },
    }
  }

  /** Each object once, however many rules have met it. */
  #rejections(ofGateway: readonly Refusal[]): readonly Rejection[] {
    const byId = new Map<string, Rejection>()
    const all = [
      ...ofGateway,
      ...this.#rules.refusals(),
      ...this.#hosts.refusals(),
      ...this.#tls.refusals(),
    ]
    for (const refusal of all) {
      const { kind, key, reason } = refusal
      const id = objectId(kind, key)
      const sources = this.#objects.object(kind, key)?.sources ?? []
      if (!byId.has(id)) byId.set(id, { kind, key, sources, reason })
    }
    return [...byId.values()]
  }

  #fileIn({ kind, key }: ChangedObject): void {
    if (kind === 'consumer') this.#directory.setConsumer(key, this.#objects.get('consumer', key))
    if (kind === 'apiKey') this.#directory.setApiKey(key, this.#objects.get('apiKey', key))
  }
}

function tableOf(
  hash: string,
  state: GatewayState,
  matcher: TableMatcher,
  tls: TlsHosts | null,
): PreparedTable {
  return {
    hash,
    gateway: state.gateway,
    trustedProxies: state.trustedProxies,
    clientHeaders: state.clientHeaders,
    matcher,
    tls,
  }
}
