/**
 * Which hosts of a gateway fit into its table, where not all of them do: the oldest first, each with
 * all that it needs, and each only if it leaves room for the others to be closed. A host that does
 * not fit is closed as a whole: its entries are what takes the room, so that a shorter list of its
 * matches would let some of its requests fall to rules that are not meant for them.
 * Pinned by capacity.test.ts: "the hosts that fit are those of the plain twin".
 */
import { Assembly, type Room, type Size } from './assembly.ts'
import { closedHost, closedRule, closedTls } from './closed-host.ts'
import type { CompiledTable } from './compiled.ts'
import type { PolicyUse } from './effect.ts'
import type { Ingredients } from './in-force.ts'
import { ANY_HOST, type Claim } from './ownership.ts'
import { byText, olderFirst, oldestFirst } from './precedence.ts'
import { namesOf } from './resolve.ts'
import type { Sealed, Sealer } from './seal.ts'
import type { Slice } from './slice.ts'

export interface Fitted {
  readonly table: CompiledTable | null
  readonly closed: ReadonlyMap<string, Closed>
}

/** Why a host is closed: it needs an object that is too long, or older hosts take all the room. */
export type Closed =
  | {
      readonly why: 'tooLong'
      readonly kind: string
      readonly key: string
      readonly mebibytes: number
    }
  | { readonly why: 'full' }

/** A host with all that it brings. */
export interface HostParts {
  readonly host: string
  readonly object: Sealed
  readonly entries: number
  /** Of the owner's routes: the oldest says how old the host is. */
  readonly claims: readonly Claim[]
  readonly slices: readonly Slice[]
  readonly tls: readonly Sealed[]
  /** What stands for it where it does not fit. */
  readonly closedForm: readonly Sealed[]
}

export interface TableParts {
  readonly gatewayKey: string
  readonly gateway: Sealed
  readonly reserved: readonly Sealed[]
  readonly hosts: readonly HostParts[]
  used(use: PolicyUse): {
    readonly objects: readonly Sealed[]
    readonly namespaces: readonly string[]
  }
  consumers(namespace: string): readonly Sealed[]
}

export function fit(parts: TableParts, { sealer, room }: Ingredients): Fitted {
  const filling = new Filling(parts, room)
  filling.table.add(parts.gateway)
  filling.table.add(closedRule(sealer))
  const hosts = withEntries(parts)
  for (const one of hosts) filling.owe(one.closedForm)
  filling.table.addAll(withoutEntries(parts, sealer))
  if (filling.table.fitsIn(room, filling.owed) === 'no') return fitCrowded(parts, sealer, room)
  const closed = new Map<string, Closed>()
  for (const one of inAge(hosts)) {
    const form = one.closedForm
    filling.pay(form)
    const why = filling.take(one)
    if (why === null) continue
    closed.set(one.host, why)
    // One that is too long keeps its certificates, as long as there is room for these.
    const shown = form.filter(({ object }) => object.kind === 'host')
    const kept = why.why === 'tooLong' && filling.takeAll([...shown, ...one.tls]) === null
    if (!kept) filling.table.addAll(form)
  }
  return { table: filling.table.finished(), closed }
}

/**
 * So many hosts that not even their closed forms fit. What is not in the table falls to a wildcard,
 * so that there is none but the one that takes everything and is closed.
 */
function fitCrowded(parts: TableParts, sealer: Sealer, room: Room): Fitted {
  const filling = new Filling(parts, room)
  const { namespace } = namesOf(parts.gatewayKey)
  const base = [parts.gateway, closedRule(sealer), closedHost(ANY_HOST, namespace, sealer)]
  filling.table.addAll(base)
  const closed = new Map<string, Closed>()
  for (const one of inAge(withEntries(parts))) {
    const why: Closed | null = one.host.startsWith('*') ? { why: 'full' } : filling.take(one)
    if (why !== null) closed.set(one.host, why)
  }
  return { table: filling.table.finished(), closed }
}

function withEntries({ hosts }: TableParts): readonly HostParts[] {
  return hosts.filter(({ entries }) => entries > 0)
}

/** Hosts of which nothing is served: they only keep requests from wider ones. */
function withoutEntries({ hosts, reserved }: TableParts, sealer: Sealer): readonly Sealed[] {
  const empty = hosts.filter(({ entries }) => entries === 0)
  return [
    ...reserved,
    ...empty.flatMap(({ host, object, tls }) =>
      tls.length === 0 ? [object] : [object, closedTls(host, sealer)],
    ),
  ]
}

function inAge(hosts: readonly HostParts[]): readonly HostParts[] {
  const aged = hosts.map((one) => ({ one, first: oldestFirst(one.claims)[0] }))
  return aged
    .toSorted((a, b) => {
      const age = a.first === undefined || b.first === undefined ? 0 : olderFirst(a.first, b.first)
      return age || byText(a.one.host, b.one.host)
    })
    .map(({ one }) => one)
}

/** A table that takes hosts for as long as they fit. */
class Filling {
  readonly table = new Assembly()
  readonly #parts: TableParts
  readonly #room: Room
  readonly #consumers = new Map<string, Batch>()
  readonly #taken = new Set<string>()
  #owedBytes = 0
  #owedObjects = 0

  constructor(parts: TableParts, room: Room) {
    this.#parts = parts
    this.#room = room
  }

  /** What has to find room in the end. */
  get owed(): Size {
    return { bytes: this.#owedBytes, objects: this.#owedObjects }
  }

  owe(list: readonly Sealed[]): void {
    for (const { bytes } of list) this.#owedBytes += bytes
    this.#owedObjects += list.length
  }

  pay(list: readonly Sealed[]): void {
    for (const { bytes } of list) this.#owedBytes -= bytes
    this.#owedObjects -= list.length
  }

  /** Null: it is in. */
  take({ object, slices, tls }: HostParts): Closed | null {
    const objects: Sealed[] = [object, ...tls]
    const namespaces = new Set<string>()
    for (const slice of slices) {
      objects.push(...slice.rules, ...slice.backends)
      for (const use of slice.uses) {
        const used = this.#parts.used(use)
        objects.push(...used.objects)
        for (const namespace of used.namespaces) namespaces.add(namespace)
      }
    }
    return this.takeAll(objects, namespaces)
  }

  takeAll(objects: readonly Sealed[], namespaces: ReadonlySet<string> = NOBODY): Closed | null {
    const batch = new Batch()
    for (const one of objects) if (!this.table.has(one.id)) batch.add(one)
    const consumers = [...namespaces]
      .filter((namespace) => !this.#taken.has(namespace))
      .map((namespace) => this.#consumersOf(namespace))
    const batches = [batch, ...consumers]
    const tooLong = batches.find(({ longest }) => (longest?.bytes ?? 0) > this.#room.objectBytes)
    if (tooLong?.longest) return tooLongBy(tooLong.longest)
    const bytes = batches.reduce((sum, one) => sum + one.bytes, this.#owedBytes)
    const count = batches.reduce((sum, one) => sum + one.objects.size, this.#owedObjects)
    if (this.table.fitsIn(this.#room, { bytes, objects: count }) === 'no') return { why: 'full' }
    for (const one of batches) this.table.addAll(one.objects.values())
    for (const namespace of namespaces) this.#taken.add(namespace)
    return null
  }

  /** Looked through once, however many hosts ask for them. */
  #consumersOf(namespace: string): Batch {
    const known = this.#consumers.get(namespace)
    if (known !== undefined) return known
    const batch = new Batch()
    for (const one of this.#parts.consumers(namespace)) batch.add(one)
    this.#consumers.set(namespace, batch)
    return batch
  }
}

const NOBODY: ReadonlySet<string> = new Set()

class Batch {
  readonly objects = new Map<string, Sealed>()
  bytes = 0
  longest: Sealed | null = null

  add(sealed: Sealed): void {
    if (this.objects.has(sealed.id)) return
    this.objects.set(sealed.id, sealed)
    this.bytes += sealed.bytes
    if (sealed.bytes > (this.longest?.bytes ?? 0)) this.longest = sealed
  }
}

// ---- what users read ------------------------------------------------------------------------

const MEBIBYTE = 2 ** 20

function tooLongBy({ object: { kind, key }, bytes }: Sealed): Closed {
  // Rounded, so that the sentence does not change with each edit.
  return { why: 'tooLong', kind, key, mebibytes: Math.ceil(bytes / MEBIBYTE) }
}

interface Told {
  readonly gatewayKey: string
  readonly room: Room
}

export function sayTooLarge(host: string, closed: Closed, { gatewayKey, room }: Told): string {
  const answers = `so that all of "${host}" answers 503`
  switch (closed.why) {
    case 'tooLong': {
      const most = `a data plane takes ${Math.floor(room.objectBytes / MEBIBYTE)} MiB`
      return closed.kind === 'host' && closed.key === host
        ? `The matches of all routes of "${host}" take ${closed.mebibytes} MiB together and ${most}, ${answers}; move some of these routes to another host, or write fewer matches.`
        : `What ${closed.kind} "${closed.key}" becomes takes ${closed.mebibytes} MiB and ${most}, ${answers}; write less there, or attach fewer policies.`
    }
    case 'full':
      return `The table of ApiGateway "${namesOf(gatewayKey).name}" is full (${Math.floor(room.tableBytes / MEBIBYTE)} MiB, ${room.tableObjects} objects) with older hosts, ${answers}; remove what is not needed, or serve it by another gateway.`
    default:
      return closed satisfies never
  }
}
