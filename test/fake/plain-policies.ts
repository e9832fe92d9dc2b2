/**
 * What the policies of a generated world mean for a rule, said again from the objects as written:
 * the plain twin of attach.ts, effect.ts and last-valid.ts. It knows the world's faults by sight.
 */
import type { Kind, Resource, Snapshot } from '../../controller/compile/snapshot.ts'
import type { World } from './world.ts'

type Fields = { readonly [field: string]: unknown }
const KINDS = ['AuthPolicy', 'RateLimitPolicy'] as const

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function all(snapshot: Snapshot, kind: Kind): Resource[] {
  return [...snapshot.kinds[kind].values()].flatMap((names) => [...names.values()])
}

const FAULTS = ['"basic"', 'nope(', '"many"', '"validate"', '"matsch"']

/** The newest spec without a fault, if there ever was one. */
export function specInForce(world: World, resource: Resource): { spec: Fields; valid: boolean } {
  const specs = [...(world.specs.get(resource.uid) ?? [])].toSorted(([a], [b]) => b - a)
  const sound = specs.find(([, spec]) => !FAULTS.some((it) => JSON.stringify(spec).includes(it)))
  return { spec: fields(sound?.[1] ?? specs[0]?.[1]), valid: sound !== undefined }
}

interface Policy {
  readonly key: string
  readonly spec: Fields
  readonly level: number
  readonly broken: boolean
}

export interface Place {
  readonly gateway: string
  readonly namespace: string
  readonly route: string
  readonly rule: string
}

/** Level 0 to 3 of the most specific way in which the target covers the place; -1: not at all. */
function levels(policy: Resource, target: Fields, place: Place): number[] {
  const own = policy.namespace === place.namespace
  const { kind, name, sectionName } = target
  if (kind === 'ApiGateway')
    return `${policy.namespace}/${String(name)}` === place.gateway ? [0] : []
  if (kind === 'Namespace') return own && name === place.namespace ? [1] : []
  if (!own || name !== place.route) return []
  if (sectionName === undefined) return [2]
  return sectionName === place.rule ? [3] : []
}

function older(a: Resource, b: Resource): number {
  if (a.createdMs !== b.createdMs) return a.createdMs - b.createdMs
  return `${a.namespace} ${a.name}` < `${b.namespace} ${b.name}` ? -1 : 1
}

function unenforceable(policy: Resource, spec: Fields, snapshot: Snapshot): boolean {
  const text = JSON.stringify(spec)
  if (text.includes('"pepperSecretRef"') && !peppered(policy.namespace, snapshot)) return true
  return text.includes('"namespaces":["b"]') && !granted(policy.namespace, snapshot)
}

function peppered(namespace: string, snapshot: Snapshot): boolean {
  const secret = snapshot.kinds.Secret.get(namespace)?.get('pepper')
  if (secret?.content['type'] !== 'fairlead.dev/pepper') return false
  return secret.secrets?.has('pepper') === true
}

function granted(namespace: string, snapshot: Snapshot): boolean {
  const grant = snapshot.kinds.ReferenceGrant.get('b')?.get('grant')?.content ?? {}
  return namespace === 'b' || (namespace === 'a' && JSON.stringify(grant).includes('"AuthPolicy"'))
}

function attached(kind: Kind, place: Place, world: World): Policy[] {
  const snapshot = world.snapshot()
  return all(snapshot, kind)
    .toSorted(older)
    .flatMap((policy) => {
      const { spec, valid } = specInForce(world, policy)
      const broken = !valid || unenforceable(policy, spec, snapshot)
      const key = `${policy.namespace}/${policy.name}`
      const targets = spec['targetRefs'] as Fields[]
      return targets
        .flatMap((target) => levels(policy, target, place))
        .map((level) => ({ key, spec, level, broken }))
    })
}

/** Overrides: the highest level, the oldest. Else defaults: the lowest level, the oldest. */
function holder(
  policies: Policy[],
  name: string,
  list: string | null,
): (Policy & { part: string }) | null {
  for (const part of ['overrides', 'defaults']) {
    const stating = policies.filter(({ spec }) => {
      const said = part === 'defaults' ? (spec['defaults'] ?? spec) : spec[part]
      return Object.hasOwn(fields(list === null ? said : fields(said)[list]), name)
    })
    const levelsOfThem = stating.map(({ level }) => level)
    const best = part === 'overrides' ? Math.min(...levelsOfThem) : Math.max(...levelsOfThem)
    const first = stating.find(({ level }) => level === best)
    if (first !== undefined) return { ...first, part }
  }
  return null
}

function keysOf(policies: Policy[], list: string): string[] {
  const held = ['p', 'q', 'x'].flatMap((name) => {
    const found = holder(policies, name, list)
    const said =
      found?.part === 'defaults' ? (found.spec['defaults'] ?? found.spec) : found?.spec['overrides']
    const removed = Object.hasOwn(fields(fields(fields(said)[list])[name]), 'disabled')
    return found === null || removed
      ? []
      : [{ level: found.level, name, key: `${found.key}/${name}` }]
  })
  return held
    .toSorted((a, b) => a.level - b.level || (a.name < b.name ? -1 : 1))
    .map(({ key }) => key)
}

/** What is written about a rule, besides policies. */
export interface Facts {
  /** It is public, or its gateway says that policies are optional. */
  readonly absence: boolean
  readonly ruleNames: readonly unknown[]
}

function astray(kind: Kind, place: Place, world: World, facts: Facts): boolean {
  return all(world.snapshot(), kind)
    .filter(({ namespace }) => namespace === place.namespace)
    .flatMap((policy) => specInForce(world, policy).spec['targetRefs'] as Fields[])
    .filter(({ name, sectionName }) => name === place.route && sectionName !== undefined)
    .some(({ sectionName }) => !facts.ruleNames.includes(sectionName))
}

export interface Said {
  readonly auth: object
  readonly limits: readonly string[]
}

/** What the table has to say of the rule, from what is written now. */
export function plainly(place: Place, world: World, facts: Facts): Said {
  const [auth = [], limit = []] = KINDS.map((kind) => attached(kind, place, world))
  const lost = [auth, limit].some(
    (policies, i) => policies.length === 0 && astray(KINDS[i] ?? 'AuthPolicy', place, world, facts),
  )
  if (lost || [...auth, ...limit].some(({ broken }) => broken)) return refused('policy-invalid')
  const [authenticate, forward, deny] = ['authenticate', 'forward', 'deny'].map((unit) => {
    const found = holder(auth, unit, null)
    return found === null ? null : `${found.key}/${found.part}`
  })
  const authorize = keysOf(auth, 'authorize')
  if (authenticate === null && !facts.absence) return refused('policy-missing')
  const limits = keysOf(limit, 'limits')
  const said = { authenticate, authorize, forward, deny }
  if (Object.values(said).every((one) => one === null || one?.length === 0)) {
    return { auth: { kind: 'open' }, limits }
  }
  return { auth: { kind: 'policy', ...said }, limits }
}

function refused(cause: string): Said {
  return { auth: { kind: 'reject', cause }, limits: [] }
}
