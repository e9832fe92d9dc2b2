/**
 * An ApiRoute as it runs: the spec in force compiled rule by rule, with where it wants to be served.
 * Rules that cannot be executed stay beside the others and reject.
 * Pinned by route-in-force.test.ts: "a broken rule rejects and its neighbours run".
 */
import type { ApiRouteSpec, RouteRule } from '../../crds/api-route.ts'
import { overspent } from './expression-budget.ts'
import { type InForce, inForce, type Reading } from './last-valid.ts'
import { ANY_HOST } from './ownership.ts'
import { type Checked, FieldPath, type Problem } from './problem.ts'
import type { Reader } from './reader.ts'
import { rejecting } from './reject.ts'
import { type GatewayNamed, gatewaysOf, grantsBy, keyOf, namesOf } from './resolve.ts'
import {
  readSpec,
  type SalvagedRoute,
  type SalvagedRule,
  salvageRoute,
  withoutExpressions,
} from './salvage.ts'
import type { Resource } from './snapshot.ts'
import type { CompiledRule, CompileRule, StepWithin } from './steps.ts'
import { notSupportedYet } from './supported.ts'

export interface RouteReading extends Reading {
  readonly gateways: readonly GatewayNamed[]
  /** `*` where it names none. */
  readonly hosts: readonly string[]
  readonly tls: ApiRouteSpec['tls'] | null
  readonly rules: readonly RuleInForce[]
}

export interface RuleInForce {
  /** `namespace/route/rule` */
  readonly key: string
  readonly name: string
  /** In `spec.rules`. */
  readonly position: number
  readonly public: 'yes' | 'no'
  readonly compiled: CompiledRule
}

export interface RouteInForce extends InForce<RouteReading> {
  /** Of the newest spec as well: a policy that names one of these is not mistaken, only early. */
  readonly ruleNames: readonly string[]
}

export function routeInForce(
  key: string,
  reader: Reader,
  compileRule: CompileRule,
): RouteInForce | null {
  const { namespace, name } = namesOf(key)
  const resource = reader.get('ApiRoute', namespace, name)
  if (resource === null) return null
  const within = { namespace, reader, grants: grantsBy(reader) }
  const names = new Set<string>()
  const route = inForce({
    resource,
    reader,
    read(content) {
      const form = formOf({ ...resource, content })
      for (const { rule } of form.rules) names.add(rule.name)
      return readingOf(form, { key, within, compileRule })
    },
  })
  return { ...route, ruleNames: [...names] }
}

/** A valid spec, or what can be used of an invalid one: from here on the same. */
interface Form extends SalvagedRoute {
  readonly problems: readonly Problem[]
}

function formOf(resource: Resource): Form {
  const form = readForm(resource)
  const spec = { rules: form.rules.map(({ rule }) => rule) }
  const tooMuch = overspent('ApiRoute', spec)
  if (tooMuch.length === 0) return form
  const rules = form.rules.map((one) => ({ ...one, rule: withoutExpressions(one.rule) }))
  return { ...form, topValid: 'no', rules, problems: [...form.problems, ...tooMuch] }
}

function readForm(resource: Resource): Form {
  const { spec, problems } = readSpec('ApiRoute', resource)
  if (spec === null) return { ...salvageRoute(resource.content), problems }
  const rules = spec.rules.map((rule, position): SalvagedRule => ({ valid: 'yes', position, rule }))
  return { top: spec, topValid: 'yes', matches: 'known', rules, problems }
}

interface Scene {
  readonly key: string
  readonly within: StepWithin
  readonly compileRule: CompileRule
}

function readingOf(form: Form, scene: Scene): RouteReading {
  const at = new FieldPath<ApiRouteSpec>('spec')
  const unsupported = notSupportedYet('route', form.top, at)
  const problems = [...form.problems, ...unsupported]
  const compiled = form.rules.map((salvaged): CompiledSalvage => {
    const { rule, position } = salvaged
    const path = at.child('rules').index(position)
    return { ...salvaged, ...scene.compileRule(rule, path, scene.within) }
  })
  const whole = form.topValid === 'yes' && unsupported.length === 0
  const runs = whole && matchesOf(form, compiled) === 'known' ? 'valid' : 'none'
  const rules = compiled.map(({ rule, position, valid, value, problems: wrong }): RuleInForce => {
    if (valid === 'yes') problems.push(...wrong)
    return {
      key: `${scene.key}/${rule.name}`,
      name: rule.name,
      position,
      public: publicOf(rule, form.top),
      compiled: runs === 'valid' && valid === 'yes' ? value : rejecting(value),
    }
  })
  const { namespace, reader } = scene.within
  return {
    problems,
    usable: rules.some((rule) => !isRejected(rule.compiled)) ? 'yes' : 'no',
    gateways: gatewaysOf(form.top, namespace, reader.installation.defaultGateway),
    hosts: form.top.hosts ?? [ANY_HOST],
    tls: form.top.tls ?? null,
    rules,
  }
}

type CompiledSalvage = SalvagedRule & Checked<CompiledRule>

/**
 * Requests that a match was meant for, and that nobody can name, would fall to the other rules: a
 * wide one that is public would answer for a narrow one that is not. Then none of them runs.
 */
function matchesOf(form: Form, rules: readonly CompiledSalvage[]): SalvagedRoute['matches'] {
  const keepsAll = rules.every(({ rule, value }) => value.matches.length === rule.match.length)
  return keepsAll ? form.matches : 'unknown'
}

function publicOf(rule: RouteRule, route: Pick<ApiRouteSpec, 'public'>): 'yes' | 'no' {
  return (rule.public ?? route.public ?? false) ? 'yes' : 'no'
}

function isRejected(rule: CompiledRule): boolean {
  return rule.action.kind === 'reject' && rule.action.cause === 'rule-invalid'
}

/** Keys of the gateways that it asks for. */
export function gatewayKeys(route: RouteInForce): readonly string[] {
  return route.reading.gateways.map(({ namespace, name }) => keyOf(namespace, name))
}
