/**
 * How names become objects, and who may name what: gateways of a route, namespaces of a gateway,
 * ReferenceGrants, targets of policies. No other file decides on a reference.
 * Pinned by resolve.test.ts: "a reference to another namespace needs a grant there that fits".
 */
import type { ApiGatewaySpec } from '../../crds/api-gateway.ts'
import type { ApiRouteSpec } from '../../crds/api-route.ts'
import type { SelectorSpec, TargetRef } from '../../crds/reference.ts'
import { fieldsOf, itemsOf, textOf } from './content.ts'
import type { TargetName } from './compiled.ts'
import type { Reader } from './reader.ts'
import { type Kind, resourceId } from './snapshot.ts'
import type { Grants, ReferenceFrom, ReferenceTo } from './steps.ts'

/** `namespace/name`, as steps are keyed. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

export interface Names {
  readonly namespace: string
  readonly name: string
}

export function namesOf(key: string): Names {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The resourceId of what is keyed `namespace/name`. */
export function idOf(kind: Kind, key: string): string {
  const { namespace, name } = namesOf(key)
  return resourceId(kind, namespace, name)
}

/** Of every object of the kind. */
export function allKeys(kind: Kind, reader: Reader): readonly string[] {
  const keys: string[] = []
  for (const [namespace, objects] of reader.all(kind)) {
    for (const name of objects.keys()) keys.push(keyOf(namespace, name))
  }
  return keys
}

// ---- other namespaces -----------------------------------------------------------------------

const OWN_GROUP = 'fairlead.dev'
const CORE_KINDS: ReadonlySet<Kind> = new Set<Kind>(['Service', 'Secret'])

export function grantsBy(reader: Reader): Grants {
  return {
    refusal(from, to) {
      if (from.namespace === to.namespace) return null
      for (const grant of reader.list('ReferenceGrant', to.namespace).values()) {
        if (permits(fieldsOf(grant.content['spec']), from, to)) return null
      }
      return sentenceFor(from, to)
    },
  }
}

function permits(
  spec: { readonly [field: string]: unknown },
  from: ReferenceFrom,
  to: ReferenceTo,
): boolean {
  const fits = itemsOf(spec['from']).some((item) => {
    const { group, kind, namespace } = fieldsOf(item)
    return group === OWN_GROUP && kind === from.kind && namespace === from.namespace
  })
  return fits && itemsOf(spec['to']).some((item) => covers(fieldsOf(item), to))
}

function covers(item: { readonly [field: string]: unknown }, to: ReferenceTo): boolean {
  if (item['group'] !== groupOf(to.kind) || item['kind'] !== to.kind) return false
  const name = textOf(item['name'])
  return name === null || name === to.name
}

function groupOf(kind: Kind): string {
  return CORE_KINDS.has(kind) ? '' : OWN_GROUP
}

function sentenceFor(from: ReferenceFrom, to: ReferenceTo): string {
  const what = to.name === null ? `any ${to.kind}` : `${to.kind} "${to.name}"`
  const grant = `from { group: ${OWN_GROUP}, kind: ${from.kind}, namespace: ${from.namespace} } to { group: "${groupOf(to.kind)}", kind: ${to.kind} }`
  return `${what} of namespace ${to.namespace} may not be used from ${from.namespace}; create a ReferenceGrant in ${to.namespace} ${grant}.`
}

// ---- gateways -------------------------------------------------------------------------------

export interface GatewayNamed extends Names {
  /** In `spec.gateways`; null where the route names none and gets the installation's default. */
  readonly position: number | null
}

/** Each gateway once, under the first position that names it. */
export function gatewaysOf(
  spec: Pick<ApiRouteSpec, 'gateways'>,
  namespace: string,
  defaultGateway: string,
): readonly GatewayNamed[] {
  if (spec.gateways === undefined) return [{ ...namesOf(defaultGateway), position: null }]
  const named = new Map<string, GatewayNamed>()
  for (const [position, ref] of spec.gateways.entries()) {
    const names = { namespace: ref.namespace ?? namespace, name: ref.name }
    const key = keyOf(names.namespace, names.name)
    if (!named.has(key)) named.set(key, { ...names, position })
  }
  return [...named.values()]
}

/** `no`: routes of the namespace are not for this gateway. */
export function admits(
  allowed: ApiGatewaySpec['allowedNamespaces'],
  namespace: string,
  reader: Reader,
): 'yes' | 'no' {
  if (allowed === undefined) return 'yes'
  const labels = reader.get('Namespace', '', namespace)?.labels ?? {}
  const named = { ...labels, 'kubernetes.io/metadata.name': namespace }
  return selects(allowed.selector, named) ? 'yes' : 'no'
}

export function selects(
  selector: SelectorSpec,
  labels: { readonly [name: string]: string },
): boolean {
  const exact = Object.entries(selector.matchLabels ?? {})
  if (!exact.every(([name, value]) => labels[name] === value)) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    const value = labels[key]
    const listed = value !== undefined && (values ?? []).includes(value)
    switch (operator) {
      case 'In':
        return listed
      case 'NotIn':
        return !listed
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        return operator satisfies never
    }
  })
}

// ---- targets of policies --------------------------------------------------------------------

/** What a targetRef means. All targets are in the policy's own namespace. */
export function targetOf(ref: TargetRef, namespace: string): TargetName {
  const sectionName = ref.sectionName ?? null
  if (ref.kind === 'Namespace')
    return { kind: ref.kind, namespace: '', name: ref.name, sectionName }
  return { kind: ref.kind, namespace, name: ref.name, sectionName }
}

/** Targets by which policies are looked up: a route's rules all under the route. */
export function targetKey(target: Pick<TargetName, 'kind' | 'name'>): string {
  return `${target.kind}/${target.name}`
}
