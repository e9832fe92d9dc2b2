/**
 * TLS of the hosts: the oldest route of a host that says something about it decides, for all routes
 * of the host. What is wrong with a certificate closes TLS of the hosts that name it, and nothing
 * else: their rules, other hosts and other certificates are not touched.
 * Pinned by tls.test.ts: "a certificate that cannot be used closes TLS of its host alone".
 */
import type { ApiRouteSpec } from '../../crds/api-route.ts'
import type { HostTls } from '#wire/table'
import type { InForceSteps, Ingredients } from './in-force.ts'
import type { Recorder, Step } from './memo.ts'
import { wildcardsOver } from './ownership.ts'
import { type HostView, pairOf, type PlacementSteps } from './placement.ts'
import { oldestFirst } from './precedence.ts'
import { FieldPath, type Problem } from './problem.ts'
import { grantsBy, keyOf, namesOf } from './resolve.ts'
import { keepEach, type Sealed, type Sealer, sourceOf } from './seal.ts'
import { resolveSecret } from './secret.ts'
import type { StepWithin } from './steps.ts'

export interface TlsSteps {
  /** Keyed `gateway host`: what the table says of it, with all that this refers to. */
  readonly objects: Step<readonly Sealed[]>
  /** Keyed `gateway route`: what is wrong with the route's own word. */
  readonly problems: Step<readonly Problem[]>
}

type TlsSpec = NonNullable<ApiRouteSpec['tls']>

/** What one route says, with its certificates looked at. */
interface RouteTls {
  readonly spec: TlsSpec
  readonly value: HostTls
  /** Certificates and their secrets. */
  readonly objects: readonly Sealed[]
  readonly problems: readonly Problem[]
}

const SPEC = new FieldPath<ApiRouteSpec>('spec').child('tls')
const TYPE = 'kubernetes.io/tls'

/** A host below another namespace's wildcard has nothing of that. */
const NOTHING: HostTls = { certificates: [], http: 'serve' }

export function createTls(
  { memo, sealer }: Ingredients,
  inForce: InForceSteps,
  placement: PlacementSteps,
): TlsSteps {
  const routeTls = memo.step<RouteTls | null>({
    name: 'tls of a route',
    run(key, at) {
      const route = at.ask(inForce.route, key)
      const spec = route?.reading.tls ?? null
      if (route === null || spec === null) return null
      const { namespace } = namesOf(key)
      const within = { namespace, reader: at.reader, grants: grantsBy(at.reader) }
      return routeTlsOf(spec, { within, secret: (name) => at.ask(inForce.secret, name), sealer })
    },
  })
  /** Key of the route whose word counts for the host; null: nobody says anything. */
  const holder = memo.step<string | null>({
    name: 'who decides on tls of a host',
    run(key, at) {
      const view = at.ask(placement.view, key)
      if (view === null || view.namespace === null) return null
      for (const { namespace, name } of oldestFirst(view.own)) {
        const route = keyOf(namespace, name)
        if (at.ask(routeTls, route) !== null) return route
      }
      return null
    },
  })
  return {
    objects: memo.step<readonly Sealed[]>({
      name: 'tls of a host',
      keep: keepEach,
      run(key, at) {
        const [, host] = pairOf(key)
        const route = at.ask(holder, key)
        const stated = route === null ? null : at.ask(routeTls, route)
        const resource = route === null ? null : at.ask(inForce.route, route)?.resource
        if (stated !== null && resource !== null && resource !== undefined) {
          const sources = [sourceOf(resource)]
          return [
            sealer.seal({ kind: 'tls', key: host, sources, value: stated.value }),
            ...stated.objects,
          ]
        }
        if (isBelowForeign(key, at, { view: placement.view, holder }) === 'no') return []
        return [sealer.seal({ kind: 'tls', key: host, sources: [], value: NOTHING })]
      },
    }),
    problems: memo.step<readonly Problem[]>({
      name: 'problems of tls',
      run(key, at) {
        const [gateway, routeKey] = pairOf(key)
        const own = at.ask(routeTls, routeKey)
        const placed = at.ask(placement.owned, key)
        if (own === null || placed.kind !== 'placed') return []
        const conflicts = placed.hosts.flatMap((host) => {
          const other = at.ask(holder, `${gateway} ${host}`)
          const said = other === null ? null : at.ask(routeTls, other)
          return said === null || isSame(said.spec, own.spec) ? [] : [conflict(host, other ?? '')]
        })
        return [...own.problems, ...conflicts]
      },
    }),
  }
}

function isSame(a: TlsSpec, b: TlsSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function conflict(host: string, holder: string): Problem {
  const sentence = `Route "${namesOf(holder).name}", which is older, says something else of "${host}", and that holds; say the same, or leave tls out here.`
  return SPEC.problem('Conflicted', sentence)
}

interface Views {
  readonly view: Step<HostView | null>
  readonly holder: Step<string | null>
}

/** The nearest wildcard over the host that says something is another namespace's. */
function isBelowForeign(key: string, at: Recorder, { view, holder }: Views): 'yes' | 'no' {
  const [gateway, host] = pairOf(key)
  const namespace = at.ask(view, key)?.namespace ?? null
  for (const wider of wildcardsOver(host)) {
    const over = `${gateway} ${wider}`
    if (at.ask(holder, over) === null) continue
    return at.ask(view, over)?.namespace === namespace ? 'no' : 'yes'
  }
  return 'no'
}

interface Scene {
  readonly within: StepWithin
  readonly secret: (key: string) => Sealed | null
  readonly sealer: Sealer
}

function routeTlsOf(spec: TlsSpec, scene: Scene): RouteTls {
  const certificates: string[] = []
  const objects: Sealed[] = []
  const problems: Problem[] = []
  for (const i of (spec.certificates ?? []).keys()) {
    const { found, wrong } = certificateAt(spec, i, scene)
    problems.push(...wrong)
    if (found.length === 0) continue
    const [certificate] = found
    if (certificate !== undefined) certificates.push(certificate.object.key)
    objects.push(...found)
  }
  const http = spec.http ?? (spec.certificates === undefined ? 'serve' : 'redirect')
  return { spec, value: { certificates: [...new Set(certificates)], http }, objects, problems }
}

interface Found {
  /** The certificate, and the secret with its key; empty: it cannot be used. */
  readonly found: readonly Sealed[]
  readonly wrong: readonly Problem[]
}

function certificateAt(spec: TlsSpec, i: number, { within, secret, sealer }: Scene): Found {
  const at = SPEC.child('certificates').index(i).child('secretRef')
  const ref = spec.certificates?.[i]?.secretRef
  if (ref === undefined) return { found: [], wrong: [] }
  const use = { from: 'ApiRoute', type: TYPE } as const
  const chain = resolveSecret(ref, at, { ...use, key: 'tls.crt' }, within)
  if (chain.value === null) return { found: [], wrong: chain.problems }
  const key = resolveSecret(ref, at, { ...use, key: 'tls.key' }, within)
  if (key.value === null) return { found: [], wrong: key.problems }
  const namespace = ref.namespace ?? within.namespace
  const named = `Secret "${ref.name}" in namespace "${namespace}"`
  const read = sealer.certificate(chain.value.bytes, key.value.bytes)
  if (read.kind === 'refused') {
    return { found: [], wrong: [at.problem('SecretInvalid', `${named}: ${read.because}`)] }
  }
  const sealed = secret(key.value.key)
  const resource = within.reader.get('Secret', namespace, ref.name)
  if (sealed === null || resource === null) return { found: [], wrong: [] }
  const certificate = sealer.seal({
    kind: 'certificate',
    key: keyOf(namespace, ref.name),
    sources: [sourceOf(resource)],
    value: { chain: read.chain, privateKey: key.value.key, names: read.names },
  })
  return { found: [certificate, sealed], wrong: [] }
}
