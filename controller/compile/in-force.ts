/**
 * The first steps of compile: each object by itself, as it runs. Later steps ask for these by
 * `namespace/name` and never read a spec themselves.
 * Pinned by compile.test.ts: "a memoised compile says what a fresh one says".
 */
import type { SpecOf } from '../../crds/kinds.ts'
import type { ApiKey, Consumer } from '#wire/auth'
import type { Room } from './assembly.ts'
import type { PolicyShape } from './attach.ts'
import { type Chunks, chunksOf, keepChunks } from './chunks.ts'
import { dataPlanesOf, type GatewayInForce, gatewayInForce } from './gateway.ts'
import { keepIf, type Memo, type Step } from './memo.ts'
import {
  type PolicyInForce,
  type PolicyKind,
  policyInForce,
  sameShape,
  shapeOf,
} from './policy-in-force.ts'
import { type Checked, FieldPath, type Problem } from './problem.ts'
import type { Reader } from './reader.ts'
import { allKeys, grantsBy, namesOf } from './resolve.ts'
import { type RouteInForce, routeInForce } from './route-in-force.ts'
import { readSpec } from './salvage.ts'
import { keepSealed, type Sealed, type Sealer, sourceOf } from './seal.ts'
import { type OwnKind, OWN_KINDS, type Resource } from './snapshot.ts'
import type { BackendWithin, CompiledApiBackend, Steps } from './steps.ts'

export interface InForceSteps {
  /** Keyed by kind: `namespace/name` of all its objects. */
  readonly keys: Step<Chunks>
  readonly gateway: Step<GatewayInForce | null>
  readonly gatewayObject: Step<Sealed | null>
  readonly route: Step<RouteInForce | null>
  /** Policies are keyed `Kind namespace/name`. */
  readonly policy: Step<PolicyInForce | null>
  readonly shape: Step<PolicyShape | null>
  readonly consumer: Step<SimpleInForce<Consumer> | null>
  readonly apiKey: Step<SimpleInForce<ApiKey> | null>
  readonly apiBackend: Step<SimpleInForce<CompiledApiBackend> | null>
  /** Keyed `namespace/name:key`. */
  readonly secret: Step<Sealed | null>
}

/** A Consumer, an ApiKey or an ApiBackend: there is no last valid spec, it can be used or not. */
export interface SimpleInForce<V> {
  readonly resource: Resource
  readonly value: V | null
  readonly problems: readonly Problem[]
}

export interface Ingredients {
  readonly room: Room
  readonly memo: Memo
  readonly sealer: Sealer
  readonly steps: Steps
}

export function createInForce(from: Ingredients): InForceSteps {
  const { memo, sealer, steps } = from
  const policy = policySteps(from)
  const gateway = memo.step({
    name: 'gateway',
    run: (key, at) => gatewayInForce(key, at.reader),
  })
  const dataPlanes = memo.step({
    name: 'data planes',
    run(key, at) {
      return dataPlanesOf(namesOf(key).namespace, at.ask(gateway, key)?.service ?? null, at.reader)
    },
  })
  return {
    gateway,
    keys: memo.step<Chunks>({
      name: 'keys of a kind',
      keep: keepChunks,
      run: (kind, at) => chunksOf(allKeys(kindOf(kind), at.reader)),
    }),
    gatewayObject: memo.step({
      name: 'gateway object',
      keep: keepSealed,
      run(key, at) {
        const value = at.ask(gateway, key)
        return value === null ? null : gatewayObject(value, at.ask(dataPlanes, key), sealer)
      },
    }),
    route: memo.step({
      name: 'route',
      run: (key, at) => routeInForce(key, at.reader, steps.compileRule),
    }),
    ...policy,
    consumer: simpleStep(memo, 'Consumer', (spec, at, { resource }) =>
      steps.compileConsumer(spec, at, resource),
    ),
    apiKey: simpleStep(memo, 'ApiKey', steps.compileApiKey),
    apiBackend: simpleStep(memo, 'ApiBackend', steps.compileApiBackend),
    secret: memo.step({
      name: 'secret object',
      keep: keepSealed,
      run: (key, at) => secretObject(key, at.reader, sealer),
    }),
  }
}

function kindOf(text: string): OwnKind {
  const kind = OWN_KINDS.find((one) => one === text)
  if (kind === undefined) throw new TypeError(`no kind is called ${text}`)
  return kind
}

function gatewayObject(gateway: GatewayInForce, dataPlanes: number, sealer: Sealer): Sealed {
  const { resource, trustedProxies, egressAllow, listeners } = gateway
  return sealer.seal({
    kind: 'gateway',
    key: `${resource.namespace}/${resource.name}`,
    sources: [sourceOf(resource)],
    value: {
      trustedProxies,
      egressAllow,
      dataPlanes,
      ...(listeners.length === 0 ? {} : { listeners }),
    },
  })
}

function secretObject(key: string, reader: Reader, sealer: Sealer): Sealed | null {
  const { namespace, name } = namesOf(key)
  const colon = name.lastIndexOf(':')
  const resource = reader.get('Secret', namespace, name.slice(0, colon))
  const bytes = resource?.secrets?.get(name.slice(colon + 1)) ?? null
  if (resource === null || bytes === null) return null
  return sealer.sealSecret(key, [sourceOf(resource)], bytes)
}

/** `Kind namespace/name` → its parts. */
function refOf(ref: string): { readonly kind: PolicyKind; readonly key: string } {
  const space = ref.indexOf(' ')
  const kind = ref.slice(0, space) === 'AuthPolicy' ? 'AuthPolicy' : 'RateLimitPolicy'
  return { kind, key: ref.slice(space + 1) }
}

function policySteps({ memo, steps }: Ingredients) {
  const policy = memo.step({
    name: 'policy',
    run(ref, at) {
      const { kind, key } = refOf(ref)
      return policyInForce(kind, key, at.reader, steps)
    },
  })
  const shape = memo.step<PolicyShape | null>({
    name: 'policy shape',
    keep: keepIf(sameShape),
    run(ref, at) {
      const value = at.ask(policy, ref)
      return value === null ? null : shapeOf(value)
    },
  })
  return { policy, shape }
}

/** Of a kind whose spec is used as it is written, or not at all. */
function simpleStep<K extends 'Consumer' | 'ApiKey' | 'ApiBackend', V>(
  memo: Memo,
  kind: K,
  compile: (spec: SpecOf[K], at: FieldPath<SpecOf[K]>, within: SimpleWithin) => Checked<V | null>,
): Step<SimpleInForce<V> | null> {
  return memo.step<SimpleInForce<V> | null>({
    name: `${kind} in force`,
    run(key, at) {
      const { namespace, name } = namesOf(key)
      const resource = at.reader.get(kind, namespace, name)
      if (resource === null) return null
      const { spec, problems } = readSpec(kind, resource)
      if (spec === null) return { resource, value: null, problems }
      const within = { namespace, name, resource, reader: at.reader, grants: grantsBy(at.reader) }
      return { resource, ...compile(spec, new FieldPath('spec'), within) }
    },
  })
}

interface SimpleWithin extends BackendWithin {
  readonly resource: Resource
}
