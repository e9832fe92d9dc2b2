/**
 * What one route brings to the table of one gateway: its rules as objects, their backends, and which
 * objects of policies they use. Shared by all hosts that the route is served under.
 * Pinned by table.test.ts: "whatever an object refers to is in its table".
 */
import type { Backend, Rule } from '#wire/table'
import type { Source } from '#wire/value'
import type { AttachedSteps, RuleEffect } from './attached.ts'
import { sameItems } from './chunks.ts'
import type { PolicyUse } from './effect.ts'
import { backendName } from './endpoints.ts'
import type { InForceSteps, Ingredients } from './in-force.ts'
import type { Recorder, Step } from './memo.ts'
import { pairOf, type PlacementSteps } from './placement.ts'
import { keyOf, namesOf } from './resolve.ts'
import type { RouteInForce, RuleInForce } from './route-in-force.ts'
import { keepEach, keepSealed, type Sealed, type Sealer, sourceOf } from './seal.ts'
import type { Resource } from './snapshot.ts'

export interface Slice {
  readonly rules: readonly Sealed[]
  readonly backends: readonly Sealed[]
  readonly uses: readonly PolicyUse[]
}

const NOTHING: Slice = { rules: [], backends: [], uses: [] }

interface Before {
  readonly inForce: InForceSteps
  readonly placement: PlacementSteps
  readonly attached: AttachedSteps
}

/** Keyed `gateway route`; empty where the route owns no host of the gateway. */
export function createSlices(from: Ingredients, before: Before): Step<Slice> {
  const { memo, sealer } = from
  const { inForce, placement, attached } = before
  const backend = backendStep(memo, sealer)
  return memo.step<Slice>({
    name: 'slice of a route',
    keep: keepSlice,
    run(key, at) {
      const [, routeKey] = pairOf(key)
      const route = at.ask(inForce.route, routeKey)
      const placed = at.ask(placement.owned, key)
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
    for (const [key, value] of compiled.backends) keys.add(`${key} ${JSON.stringify(value)}`)
  }
  return [...keys]
}

function backendStep(memo: Ingredients['memo'], sealer: Sealer): Step<Sealed> {
  return memo.step<Sealed>({
    name: 'backend object',
    keep: (a, b) => keepSealed(a, b) ?? b,
    run(stepKey, at) {
      const [key, text] = pairOf(stepKey)
      const value: Backend = JSON.parse(text)
      const sources = sourcesOf(key, at).map((one) => sourceOf(one))
      return sealer.seal({ kind: 'backend', key, sources, value })
    },
  })
}

/** Its Service, and the ApiBackend around it. */
function sourcesOf(key: string, at: Recorder): readonly Resource[] {
  const { namespace, service } = backendName(key)
  const [, around] = key.split('@', 2)
  const named = around === undefined ? null : namesOf(around)
  return [
    at.reader.get('Service', namespace, service),
    named === null ? null : at.reader.get('ApiBackend', named.namespace, named.name),
  ].flatMap((resource) => resource ?? [])
}
