/**
 * What is still usable of an object that as a whole is not valid, where no last valid spec is known:
 * a rule by itself, a target by itself. The decoder alone says what is valid: it is asked again with
 * less, so that there is no second reading of schemas.
 * Pinned by salvage.test.ts: "a broken rule keeps its matches, its neighbours keep everything".
 */
import type { ApiGatewaySpec } from '../../crds/api-gateway.ts'
import type { ApiRouteSpec, RouteMatch, RouteRule } from '../../crds/api-route.ts'
import { decode } from '../../crds/decode.ts'
import type { CrdKind, SpecOf } from '../../crds/kinds.ts'
import type { TargetRef } from '../../crds/reference.ts'
import { fieldsOf, itemsOf, textOf } from './content.ts'
import type { Problem } from './problem.ts'
import type { Resource } from './snapshot.ts'

type Fields = { readonly [field: string]: unknown }

export interface Read<S> {
  /** Null where anything is wrong. */
  readonly spec: S | null
  readonly problems: readonly Problem[]
}

export function readSpec<K extends CrdKind>(kind: K, resource: Resource): Read<SpecOf[K]> {
  const { spec, problems } = decode(kind, resource.content)
  return { spec, problems: problems.map((problem) => ({ ...problem, severity: 'failure' })) }
}

const API_VERSION = 'fairlead.dev/v1alpha1'

/** Another spec of the kind: null where that is not valid either. */
function retry<K extends CrdKind>(kind: K, spec: unknown): SpecOf[K] | null {
  return decode(kind, { apiVersion: API_VERSION, kind, spec }).spec
}

// ---- routes ---------------------------------------------------------------------------------

export interface SalvagedRoute {
  /** What holds for all rules, as far as it is valid; without hosts none are known. */
  readonly top: Omit<ApiRouteSpec, 'rules'>
  /** `no`: something that holds for all rules is not, so that none of them may run. */
  readonly topValid: 'yes' | 'no'
  /** `unknown`: nobody can say which requests some match was meant for. */
  readonly matches: 'known' | 'unknown'
  readonly rules: readonly SalvagedRule[]
}

export interface SalvagedRule {
  readonly valid: 'yes' | 'no'
  /** In `spec.rules`. */
  readonly position: number
  /** Of an invalid one: its name and valid matches, and an answer that stands for its action. */
  readonly rule: RouteRule
}

const STAND_IN = { status: 500 }
const STAND_IN_RULE = { name: 'x', match: [{ path: '/' }], respond: STAND_IN }

export function salvageRoute(content: Fields): SalvagedRoute {
  const { rules, ...top } = fieldsOf(content['spec'])
  const spec = { ...top, rules: [STAND_IN_RULE] }
  const whole = retry('ApiRoute', spec)
  const head = decode('ApiRoute', { ...content, spec: { rules: [STAND_IN_RULE] } }).spec
  return {
    top: whole ?? salvageTop(top),
    topValid: whole === null || head === null ? 'no' : 'yes',
    matches: itemsOf(rules).every(areMatchesKnown) ? 'known' : 'unknown',
    rules: salvageRules(itemsOf(rules)),
  }
}

function areMatchesKnown(rule: unknown): boolean {
  const match = itemsOf(fieldsOf(rule)['match'])
  return match.length > 0 && salvageMatches(match).length === match.length
}

function salvageMatches(match: readonly unknown[]): readonly unknown[] {
  return match.flatMap((one) => {
    const form = matchForms(one).find(isMatch)
    return form === undefined ? [] : [form]
  })
}

function isMatch(match: unknown): boolean {
  return retry('ApiRoute', { rules: [{ ...STAND_IN_RULE, match: [match] }] }) !== null
}

/** As it is, else its path alone: it then takes more than was meant, and nothing of it is lost. */
function matchForms(match: unknown): readonly unknown[] {
  const { method, path, pathRegex } = fieldsOf(match)
  if (path === undefined && pathRegex === undefined) return [match]
  const where = path === undefined ? { pathRegex } : { path }
  return method === undefined ? [match, where] : [match, { ...where, method }, where]
}

function salvageTop(top: Fields): Omit<ApiRouteSpec, 'rules'> {
  const kept: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(top)) {
    const valid = field === 'hosts' ? validHosts(value) : value
    const spec = { ...needed(field, top), [field]: valid, rules: [STAND_IN_RULE] }
    if (retry('ApiRoute', spec) !== null) kept[field] = valid
  }
  const whole = retry('ApiRoute', { ...kept, rules: [STAND_IN_RULE] })
  // Hosts that cannot be read are no hosts: the route must not answer for every host instead.
  const hosts = 'hosts' in top && whole?.hosts === undefined ? { hosts: [] } : {}
  return { ...whole, ...hosts }
}

/** `tls` stands only beside hosts. */
function needed(field: string, top: Fields): Fields {
  return field === 'tls' && 'hosts' in top ? { hosts: top['hosts'] } : {}
}

function validHosts(hosts: unknown): readonly unknown[] {
  return itemsOf(hosts).filter(
    (host) => retry('ApiRoute', { hosts: [host], rules: [STAND_IN_RULE] }) !== null,
  )
}

function salvageRules(rules: readonly unknown[]): readonly SalvagedRule[] {
  const names = new Set<string>()
  const salvaged: SalvagedRule[] = []
  for (const [position, item] of rules.entries()) {
    const [alone] = retry('ApiRoute', { rules: [item] })?.rules ?? []
    if (alone !== undefined && !names.has(alone.name)) {
      names.add(alone.name)
      salvaged.push({ valid: 'yes', position, rule: alone })
      continue
    }
    const rule = standIn(fieldsOf(item), freeName(names, item, position))
    if (rule !== null) salvaged.push({ valid: 'no', position, rule })
  }
  return salvaged
}

/** A name for a rule that has none, or one that is taken or no name: policies cannot name it. */
function freeName(names: Set<string>, item: unknown, position: number): string {
  const written = validName(textOf(fieldsOf(item)['name']))
  let name = written ?? `rule-${position}`
  if (names.has(name)) name = `rule-${position}`
  while (names.has(name)) name = `${name}-x`
  names.add(name)
  return name
}

/** Whatever else stands there would end as a key of the table, of any length. */
function validName(name: string | null): string | null {
  const valid = retry('ApiRoute', { rules: [{ ...STAND_IN_RULE, name }] })
  return valid === null ? null : name
}

/** Null where not even one match is valid: nothing is known of the requests it was meant for. */
function standIn(item: Fields, name: string): RouteRule | null {
  const match = salvageMatches(itemsOf(item['match']))
  const [rule] = retry('ApiRoute', { rules: [{ ...STAND_IN_RULE, match }] })?.rules ?? []
  if (rule === undefined) return null
  // Whatever else stands there than true: it is not open.
  const open = 'public' in item ? { public: item['public'] === true } : {}
  return { ...rule, ...open, name }
}

/**
 * A rule of a route that has too many expressions for any of them to be read: it rejects what its
 * methods, paths and names of headers match. Whom only a pattern tells apart is not known.
 */
export function withoutExpressions(rule: RouteRule): RouteRule {
  const match = rule.match.filter(({ pathRegex }) => pathRegex === undefined).map(plainMatch)
  const open = rule.public === undefined ? {} : { public: rule.public }
  return { ...open, name: rule.name, match, respond: STAND_IN }
}

function plainMatch({ method, path, headers, queryParams }: RouteMatch): RouteMatch {
  return {
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path }),
    ...(headers === undefined ? {} : { headers: headers.map(plainPredicate) }),
    ...(queryParams === undefined ? {} : { queryParams: queryParams.map(plainPredicate) }),
  }
}

type Predicate = NonNullable<RouteMatch['headers']>[number]

function plainPredicate(predicate: Predicate): Predicate {
  return predicate.regex === undefined ? predicate : { name: predicate.name, present: true }
}

// ---- policies -------------------------------------------------------------------------------

/** Everything that a policy certainly targets; it cannot be enforced there. */
export function salvageTargets(
  kind: 'AuthPolicy' | 'RateLimitPolicy',
  content: Fields,
): readonly TargetRef[] {
  const stand =
    kind === 'AuthPolicy'
      ? { authenticate: { guest: { anonymous: {} } } }
      : { limits: { all: { rate: '1/1s' } } }
  return itemsOf(fieldsOf(content['spec'])['targetRefs']).flatMap(
    (ref) => retry(kind, { ...stand, targetRefs: [ref] })?.targetRefs ?? [],
  )
}

// ---- gateways -------------------------------------------------------------------------------

/** What cannot be read is closed: no namespace, no grant, no host without one, no proxy trusted. */
export function salvageGateway(content: Fields): Partial<ApiGatewaySpec> {
  const spec = fieldsOf(content['spec'])
  const kept: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(spec)) {
    if (retry('ApiGateway', { ...STAND_IN_GATEWAY, [field]: value }) !== null) {
      kept[field] = value
    }
  }
  const whole = retry('ApiGateway', { ...STAND_IN_GATEWAY, ...kept })
  const { dataPlanes, ...rest } = whole ?? STAND_IN_GATEWAY
  return {
    ...('hosts' in spec ? { hosts: salvageHosts(fieldsOf(spec['hosts'])) } : {}),
    ...('allowedNamespaces' in spec ? { allowedNamespaces: NO_NAMESPACE } : {}),
    ...rest,
    ...('dataPlanes' in kept ? { dataPlanes } : {}),
  }
}

const STAND_IN_GATEWAY = { dataPlanes: { serviceAccount: 'x', service: 'x' } }

/** No namespace has this label, since it is not a valid one. */
const NO_NAMESPACE = { selector: { matchLabels: { '-': '' } } }

function salvageHosts(hosts: Fields): NonNullable<ApiGatewaySpec['hosts']> {
  const grants = itemsOf(hosts['grants']).flatMap((grant) => {
    const spec = { ...STAND_IN_GATEWAY, hosts: { grants: [grant] } }
    return retry('ApiGateway', spec)?.hosts?.grants ?? []
  })
  return { grants, ungranted: 'refuse' }
}
