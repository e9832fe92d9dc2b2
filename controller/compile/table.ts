/**
 * Puts a gateway's table together from objects that earlier steps have sealed: the rules of every
 * route placed on it, what these refer to, and its hosts. No object is serialised here; a table is a
 * map of pointers and an XOR of digests.
 * Pinned by table.test.ts: "whatever an object refers to is in its table".
 */
import type { Rule } from '#wire/table'
import type { Source } from '#wire/value'
import { sameItems } from './chunks.ts'
import type { AttachedSteps, RuleEffect } from './attached.ts'
import type { CompiledObject, CompiledTable } from './compiled.ts'
import type { ConsumerSteps } from './consumers.ts'
import type { PolicyUse } from './effect.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import type { Recorder, Step } from './memo.ts'
import { pairOf, type PlacementSteps } from './placement.ts'
import { keyOf, namesOf } from './resolve.ts'
import type { RouteInForce, RuleInForce } from './route-in-force.ts'
import type { TlsSteps } from './tls.ts'
import { HashSum, keepEach, keepSealed, type Sealed, type Sealer, sourceOf } from './seal.ts'

export interface TableSteps {
  /** Keyed by gateway; null where there is no such gateway. */
  readonly table: Step<CompiledTable | null>
}

export interface Before {
  readonly inForce: InForceSteps
  readonly placement: PlacementSteps
  readonly attached: AttachedSteps
  readonly consumers: ConsumerSteps
  readonly tls: TlsSteps
}

/** All that one route brings to one table. */
interface Slice {
  readonly rules: readonly Sealed[]
  readonly backends: readonly Sealed[]
  readonly uses: readonly PolicyUse[]
}

const NOTHING: Slice = { rules: [], backends: [], uses: [] }

export function createTables(from: Ingredients, before: Before): TableSteps {
  const { memo, sealer } = from
  const { inForce, placement, attached } = before
  const backend = backendStep(memo, sealer)
  const slice = memo.step<Slice>({
    name: 'slice of a route',
    keep: keepSlice,
    run(key, at) {
      const [, routeKey] = pairOf(key)
      const route = at.ask(inForce.route, routeKey)
      const placed = at.ask(placement.placement, key)
      if (route === null || placed.kind !== 'placed' || placed.hosts.length === 0) return NOTHING
      const { rules } = route.reading
      const effects = at.ask(attached.effects, key)
      return {
        rules: rules.flatMap((rule) => {
          const effect = effects.get(rule.key)
          if (effect === undefined) return []
          const carried = effect.carries.flatMap((ref) => at.ask(attached.source, ref) ?? [])
          return [ruleObject(route, rule, { effect, carried, sealer })]
        }),
        backends: backendKeys(rules).map((one) => at.ask(backend, one)),
        uses: rules.flatMap((rule) => effects.get(rule.key)?.uses ?? []),
      }
    },
  })
  return {
    table: memo.step<CompiledTable | null>({
      name: 'table',
      run(gatewayKey, at) {
        const gateway = at.ask(inForce.gatewayObject, gatewayKey)
        if (gateway === null) return null
        return assemble(gateway, { gatewayKey, at, before, slice })
      },
    }),
  }
}

function keepSlice(before: Slice, after: Slice): Slice {
  const rules = keepEach(before.rules, after.rules)
  const backends = sameItems(before.backends, after.backends) ? before.backends : after.backends
  const uses = JSON.stringify(before.uses) === JSON.stringify(after.uses) ? before.uses : after.uses
  const same = rules === before.rules && backends === before.backends && uses === before.uses
  return same ? before : { rules, backends, uses }
}

// ---- one rule -------------------------------------------------------------------------------

interface RuleScene {
  readonly effect: RuleEffect
  /** Policies that apply without an object of theirs in use. */
  readonly carried: readonly Source[]
  readonly sealer: Sealer
}

function ruleObject(route: RouteInForce, rule: RuleInForce, scene: RuleScene): Sealed {
  const { effect, carried, sealer } = scene
  const { resource, generation } = route
  const { matches, rewrite, requestHeaders, responseHeaders, totalTimeoutMs, action, traffic } =
    rule.compiled
  const value: Rule = {
    route: keyOf(resource.namespace, resource.name),
    name: rule.name,
    matches,
    auth: effect.auth,
    limits: effect.limits,
    rewrite,
    requestHeaders,
    responseHeaders,
    totalTimeoutMs,
    action,
    ...traffic,
  }
  const sources = [sourceOf(resource, generation), ...carried]
  return sealer.seal({ kind: 'rule', key: rule.key, sources, value })
}

// ---- backends -------------------------------------------------------------------------------

/** A backend's value is in the key of its step: equal ones of all routes are one object. */
function backendKeys(rules: readonly RuleInForce[]): readonly string[] {
  const keys = new Set<string>()
  for (const { compiled } of rules) {
    for (const [key, { protocol, clusterAddress }] of compiled.backends) {
      keys.add(`${key} ${protocol} ${clusterAddress ?? ''}`)
    }
  }
  return [...keys]
}

function backendStep(memo: Ingredients['memo'], sealer: Sealer): Step<Sealed> {
  return memo.step<Sealed>({
    name: 'backend object',
    keep: (a, b) => keepSealed(a, b) ?? b,
    run(stepKey, at) {
      const [key, rest] = pairOf(stepKey)
      const [protocol, clusterAddress] = pairOf(rest)
      const { namespace, name } = namesOf(key)
      const service = at.reader.get('Service', namespace, name.slice(0, name.lastIndexOf(':')))
      const value = {
        protocol: protocol === 'h2c' ? 'h2c' : 'http',
        clusterAddress: clusterAddress === '' ? null : clusterAddress,
      } as const
      const sources = service === null ? [] : [sourceOf(service)]
      return sealer.seal({ kind: 'backend', key, sources, value })
    },
  })
}

// ---- the table ------------------------------------------------------------------------------

interface Scene {
  readonly gatewayKey: string
  readonly at: Recorder
  readonly before: Before
  readonly slice: Step<Slice>
}

function assemble(gateway: Sealed, scene: Scene): CompiledTable {
  const { gatewayKey, at, before } = scene
  const table = new Assembly()
  table.add(gateway)
  const uses = new Map<string, string>()
  for (const chunk of at.ask(before.placement.routes, gatewayKey)) {
    for (const slice of at.askAll(scene.slice, chunk)) {
      table.addAll(slice.rules)
      table.addAll(slice.backends)
      for (const { ref, id } of slice.uses) uses.set(id, ref)
    }
  }
  const namespaces = addPolicies(table, uses, scene)
  for (const namespace of namespaces) {
    table.addAll(at.ask(before.consumers.objects, namespace))
  }
  for (const chunk of at.ask(before.placement.hosts, gatewayKey)) {
    table.addAll(at.askAll(before.placement.hostObject, chunk))
    for (const objects of at.askAll(before.tls.objects, chunk)) table.addAll(objects)
  }
  table.addAll(at.ask(before.placement.reserved, gatewayKey))
  return table.finished()
}

/** Returns the namespaces whose consumers may be named by a credential. */
function addPolicies(
  table: Assembly,
  uses: ReadonlyMap<string, string>,
  { at, before }: Scene,
): ReadonlySet<string> {
  const namespaces = new Set<string>()
  for (const [id, ref] of uses) {
    const object = at.ask(before.attached.objects, ref).get(id)
    if (object === undefined) continue
    table.add(object.sealed)
    for (const key of object.secrets) {
      const secret = at.ask(before.inForce.secret, key)
      if (secret !== null) table.add(secret)
    }
    for (const namespace of consumersOf(object.sealed.object)) namespaces.add(namespace)
  }
  return namespaces
}

/** Of a key: what its entry says. Of a token: the policy's own. */
function consumersOf(object: CompiledObject): readonly string[] {
  if (object.kind !== 'authenticate') return []
  return object.value.entries.flatMap((entry) => {
    if (entry.kind === 'apiKey') return entry.namespaces
    return entry.kind === 'jwt' ? [namesOf(object.key).namespace] : []
  })
}

/** Grows by objects, each once. */
class Assembly {
  readonly #objects = new Map<string, CompiledObject>()
  readonly #hash = new HashSum()

  add({ id, object, words }: Sealed): void {
    if (this.#objects.has(id)) return
    this.#objects.set(id, object)
    this.#hash.add(words)
  }

  addAll(list: readonly (Sealed | null)[]): void {
    for (const sealed of list) if (sealed !== null) this.add(sealed)
  }

  finished(): CompiledTable {
    return { objects: this.#objects, hash: this.#hash.hex() }
  }
}
