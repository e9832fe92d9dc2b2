/**
 * Puts a gateway's table together from objects that earlier steps have sealed: the rules of every
 * route placed on it, what these refer to, and its hosts. Where all of that is more than a data plane
 * takes, capacity.ts decides which hosts are closed, and routes are told.
 * Pinned by table.test.ts: "whatever an object refers to is in its table".
 */
import { Assembly } from './assembly.ts'
import type { AttachedSteps } from './attached.ts'
import { type Closed, type Fitted, fit, type HostParts, sayTooLarge } from './capacity.ts'
import { closedFormOf } from './closed-host.ts'
import type { CompiledTable } from './compiled.ts'
import type { ConsumerSteps } from './consumers.ts'
import type { PolicyUse } from './effect.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import { keepIf, type Recorder, type Step } from './memo.ts'
import { pairOf, type Placement, type PlacementSteps } from './placement.ts'
import { keyOf, namesOf } from './resolve.ts'
import type { Sealed } from './seal.ts'
import { createSlices, type Slice } from './slice.ts'
import type { TlsSteps } from './tls.ts'

export interface TableSteps {
  /** Keyed by gateway; null where there is no such gateway. */
  readonly table: Step<CompiledTable | null>
  /** Keyed by gateway: the hosts that do not fit, and answer 503. */
  readonly closed: Step<ReadonlyMap<string, Closed>>
  /** Keyed `gateway route`: where it is served in the end. */
  readonly placement: Step<Placement>
}

export interface Earlier {
  readonly inForce: InForceSteps
  readonly placement: PlacementSteps
  readonly attached: AttachedSteps
  readonly consumers: ConsumerSteps
  readonly tls: TlsSteps
}

/** All that verdicts follow from. */
export interface Before extends Earlier {
  readonly tables: TableSteps
}

const NO_TABLE: Fitted = { table: null, closed: new Map() }

export function createTables(from: Ingredients, before: Earlier): TableSteps {
  const { memo, room } = from
  const slice = createSlices(from, before)
  const closedForm = memo.step<readonly Sealed[]>({
    name: 'closed form of a host',
    run(key, at) {
      const host = at.ask(before.placement.hostObject, key)?.object
      const tls = at.ask(before.tls.objects, key)
      if (host?.kind !== 'host') return []
      return closedFormOf(host.key, { namespace: host.value.namespace, tls }, from.sealer)
    },
  })
  const fitted = memo.step<Fitted>({
    name: 'what fits into a table',
    run(gatewayKey, at) {
      const gateway = at.ask(before.inForce.gatewayObject, gatewayKey)
      if (gateway === null) return NO_TABLE
      const scene = { gatewayKey, at, before, slice, closedForm }
      const all = longestHost(scene) > room.objectBytes ? null : assemble(gateway, scene)
      if (all?.isWithin(room) === 'yes') {
        return { table: all.finished(), closed: NO_TABLE.closed }
      }
      return fit({ gateway, ...partsOf(scene) }, from)
    },
  })
  const closed = memo.step<Fitted['closed']>({
    name: 'hosts that do not fit',
    turn: 'second',
    keep: keepIf((a, b) => JSON.stringify([...a]) === JSON.stringify([...b])),
    run: (key, at) => at.ask(fitted, key).closed,
  })
  const closing = memo.entriesOf(closed)
  return {
    table: memo.step({ name: 'table', run: (key, at) => at.ask(fitted, key).table }),
    closed,
    placement: memo.step<Placement>({
      name: 'placement',
      keep: keepIf((a, b) => JSON.stringify(a) === JSON.stringify(b)),
      run(key, at) {
        const [gatewayKey] = pairOf(key)
        const owned = at.ask(before.placement.owned, key)
        if (owned.kind !== 'placed') return owned
        const refused = owned.hosts.flatMap((host) => {
          const why = at.ask(closing, `${gatewayKey} ${host}`)
          if (why === null) return []
          const because = sayTooLarge(host, why, { gatewayKey, room })
          return [{ host, reason: 'TooLarge', because } as const]
        })
        if (refused.length === 0) return owned
        const hosts = owned.hosts.filter((host) => refused.every((one) => one.host !== host))
        return { kind: 'placed', hosts, refused: [...owned.refused, ...refused] }
      },
    }),
  }
}

interface Scene {
  readonly gatewayKey: string
  readonly at: Recorder
  readonly before: Earlier
  readonly slice: Step<Slice>
  readonly closedForm: Step<readonly Sealed[]>
}

/** Seen before anything is put together: then it has to be done host by host. */
function longestHost({ gatewayKey, at, before }: Scene): number {
  let longest = 0
  for (const chunk of at.ask(before.placement.hosts, gatewayKey)) {
    for (const sealed of at.askAll(before.placement.hostObject, chunk)) {
      if (sealed !== null && sealed.bytes > longest) longest = sealed.bytes
    }
  }
  return longest
}

/** Everything, however much it is. */
function assemble(gateway: Sealed, scene: Scene): Assembly {
  const { gatewayKey, at, before } = scene
  const table = new Assembly()
  table.add(gateway)
  const uses = new Map<string, PolicyUse>()
  for (const chunk of at.ask(before.placement.routes, gatewayKey)) {
    for (const slice of at.askAll(scene.slice, chunk)) {
      table.addAll(slice.rules)
      table.addAll(slice.backends)
      for (const use of slice.uses) uses.set(use.id, use)
    }
  }
  const namespaces = new Set<string>()
  for (const use of uses.values()) {
    const used = partsOfUse(use, scene)
    table.addAll(used.objects)
    for (const namespace of used.namespaces) namespaces.add(namespace)
  }
  for (const namespace of namespaces) {
    table.addAll(at.ask(before.consumers.objects, namespace))
  }
  for (const chunk of at.ask(before.placement.hosts, gatewayKey)) {
    table.addAll(at.askAll(before.placement.hostObject, chunk))
    for (const objects of at.askAll(before.tls.objects, chunk)) table.addAll(objects)
  }
  table.addAll(at.ask(before.placement.reserved, gatewayKey))
  return table
}

interface Used {
  readonly objects: readonly Sealed[]
  /** Of consumers that a credential may name. */
  readonly namespaces: readonly string[]
}

const UNUSED: Used = { objects: [], namespaces: [] }

function partsOfUse({ ref, id }: PolicyUse, { at, before }: Scene): Used {
  const object = at.ask(before.attached.objects, ref).get(id)
  if (object === undefined) return UNUSED
  const secrets = object.secrets.flatMap((key) => at.ask(before.inForce.secret, key) ?? [])
  return { objects: [object.sealed, ...secrets], namespaces: consumersOf(object.sealed) }
}

/** Of a key: what its entry says. Of a token: the policy's own. */
function consumersOf({ object }: Sealed): readonly string[] {
  if (object.kind !== 'authenticate') return []
  return object.value.entries.flatMap((entry) => {
    if (entry.kind === 'apiKey') return entry.namespaces
    return entry.kind === 'jwt' ? [namesOf(object.key).namespace] : []
  })
}

// ---- the same host by host, where not all of it fits ----------------------------------------

function partsOf(scene: Scene) {
  const { gatewayKey, at, before } = scene
  const slices = new Map<string, Slice>()
  for (const chunk of at.ask(before.placement.routes, gatewayKey)) {
    const found = at.askAll(scene.slice, chunk)
    for (const [i, key] of chunk.entries()) {
      const slice = found[i]
      if (slice !== undefined) slices.set(key, slice)
    }
  }
  return {
    gatewayKey,
    reserved: at.ask(before.placement.reserved, gatewayKey),
    hosts: hostParts(slices, scene),
    used: (use: PolicyUse) => partsOfUse(use, scene),
    consumers: (namespace: string) => at.ask(before.consumers.objects, namespace),
  }
}

function hostParts(slices: ReadonlyMap<string, Slice>, scene: Scene): readonly HostParts[] {
  const { gatewayKey, at, before } = scene
  const { hosts, hostObject, view } = before.placement
  return at.ask(hosts, gatewayKey).flatMap((chunk) => {
    const objects = at.askAll(hostObject, chunk)
    const views = at.askAll(view, chunk)
    const tls = at.askAll(before.tls.objects, chunk)
    const forms = at.askAll(scene.closedForm, chunk)
    return objects.flatMap((object, i): readonly HostParts[] => {
      if (object?.object.kind !== 'host') return []
      const { key: host, value } = object.object
      const claims = views[i]?.own ?? []
      const own = claims.flatMap(
        ({ namespace, name }) => slices.get(`${gatewayKey} ${keyOf(namespace, name)}`) ?? [],
      )
      const parts = { host, object, entries: value.entries.length, claims, slices: own }
      return [{ ...parts, tls: tls[i] ?? [], closedForm: forms[i] ?? [] }]
    })
  })
}
