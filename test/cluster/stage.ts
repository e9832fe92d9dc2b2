/**
 * What a cluster test plays on: a real API server with our kinds and the chart's own objects, and
 * everything that is started runs under the chart's ServiceAccounts and roles.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeClient } from '../../controller/kube/client.ts'
import { isRecord } from '../../crds/inspect.ts'
import { textAt } from '../../controller/kube/fields.ts'
import { parseAllDocuments } from 'yaml'
import { type Cluster, type Ending, freePorts, helm, startCluster } from './cluster.ts'
import type { Backend } from './backend.ts'
import { applyAll, conditionIn, readObject, requestToken } from './objects.ts'
import { type Program, startProgram, untilReady } from './program.ts'
import { until } from './until.ts'

export const SYSTEM = 'fairlead-system'
export const CONTROLLER = 'fairlead-controller'
export const DATA_PLANE = 'fairlead-dataplane'
export const charts = join(import.meta.dirname, '..', '..', 'charts')

export interface Stage extends Ending {
  readonly cluster: Cluster
  /** Of the administrator. */
  readonly api: KubeClient
  readonly kubectl: Cluster['kubectl']
  /** Of the controller's ServiceAccount. */
  readonly kubeconfig: string
  apply(yaml: string): Promise<void>
  /** A Service with these backends as its ready endpoints. */
  service(namespace: string, name: string, backends: readonly Backend[]): Promise<void>
  /** The data planes that are ready, as the EndpointSlice controller would say it. */
  members(pods: readonly string[]): Promise<void>
  /** The token file of a data plane, bound to a pod that is made for it. */
  tokenFile(pod: string): Promise<string>
  /** What data planes trust, as the chart mounts it. */
  caFile(): Promise<string>
  /** `True Programmed` of a condition; null: nothing is said of the present generation. */
  condition(resource: string, type: string): Promise<string | null>
  /** Waits until a condition of `namespace/plural/name` says this. */
  says(resource: string, type: string, wanted: string, withinMs?: number): Promise<void>
}

export async function startStage(ending: Ending, values: readonly string[] = []): Promise<Stage> {
  const cluster = await startCluster(ending)
  const kubectl: Stage['kubectl'] = (args, input) => cluster.kubectl(args, input)
  await installKinds(cluster)
  await kubectl(['create', 'namespace', SYSTEM])
  await kubectl(['create', 'namespace', 'shop'])
  const rendered = await renderChart(['fairlead', join(charts, 'fairlead'), ...values])
  const applied = rendered.filter(
    ({ kind }) => !['Deployment', 'PodDisruptionBudget'].includes(kind),
  )
  await kubectl(['apply', '-f', '-'], applied.map(({ text }) => text).join('\n---\n'))
  const { api } = cluster
  const apply = (yaml: string): Promise<void> => applyAll(api, yaml)
  const condition = async (resource: string, type: string): Promise<string | null> =>
    conditionIn(await readObject(api, resource), type)
  return {
    after: (end) => ending.after(end),
    cluster,
    api,
    kubectl,
    kubeconfig: await cluster.kubeconfigOf(SYSTEM, CONTROLLER),
    apply,
    service: (namespace, name, backends) => apply(serviceYaml(namespace, name, backends)),
    members: (pods) => apply(membersYaml(pods)),
    tokenFile: (pod) => writeToken(cluster, pod),
    caFile: () => writeTrust(cluster),
    condition,
    async says(resource, type, wanted, withinMs = 10_000) {
      let last: string | null = null
      await until(`${resource} is ${type}=${wanted}`, withinMs, async () => {
        last = await condition(resource, type)
        return last === wanted ? last : null
      }).catch((error: unknown) => {
        throw new Error(`${resource}: ${type} is ${last}, not ${wanted}`, { cause: error })
      })
    },
  }
}

export async function installKinds({ kubectl }: Pick<Cluster, 'kubectl'>): Promise<void> {
  const rendered = await renderChart(['crds', join(charts, 'fairlead-crds')])
  const text = rendered.map((object) => object.text).join('\n---\n')
  await kubectl(['apply', '--server-side', '-f', '-'], text)
  await kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', '-'], text)
}

export interface Rendered {
  readonly kind: string
  readonly name: string
  readonly text: string
  readonly object: unknown
}

export async function renderChart(args: readonly string[]): Promise<readonly Rendered[]> {
  const text = await helm(['template', '--namespace', SYSTEM, ...args])
  return parseAllDocuments(text).flatMap((document) => {
    const object: unknown = document.toJS()
    if (!isRecord(object)) return []
    const kind = textAt(object, 'kind') ?? ''
    const name = textAt(object, 'metadata', 'name') ?? ''
    return [{ kind, name, text: JSON.stringify(object), object }]
  })
}

function serviceYaml(namespace: string, name: string, backends: readonly Backend[]): string {
  // One slice for each backend: each has a port of its own.
  const slices = backends.map(({ address, port }, i) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-${i}`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  }))
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  }
  return [service, ...slices].map((object) => JSON.stringify(object)).join('\n---\n')
}

function membersYaml(pods: readonly string[]): string {
  return JSON.stringify({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${DATA_PLANE}-1`,
      namespace: SYSTEM,
      labels: { 'kubernetes.io/service-name': DATA_PLANE },
    },
    addressType: 'IPv4',
    endpoints: pods.map((name, i) => ({
      addresses: [`198.51.100.${i + 1}`],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name, namespace: SYSTEM },
    })),
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  })
}

async function writeToken({ api, folder }: Cluster, pod: string): Promise<string> {
  await applyAll(
    api,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace: SYSTEM },
      spec: { serviceAccountName: DATA_PLANE, containers: [{ name: 'dataplane', image: 'none' }] },
    }),
  )
  const of = { namespace: SYSTEM, account: DATA_PLANE, audience: 'fairlead-wire', pod }
  const path = join(folder, `${pod}.token`)
  await writeFile(path, await requestToken(api, of), { mode: 0o600 })
  return path
}

async function writeTrust({ api, folder }: Cluster): Promise<string> {
  const path = `/api/v1/namespaces/${SYSTEM}/configmaps/fairlead-wire-ca`
  const trust = await until('the controller has published its authority', 10_000, async () => {
    const { body } = await api.request({ method: 'GET', path })
    return textAt(body, 'data', 'ca.crt')
  })
  const file = join(folder, 'wire-ca.crt')
  await writeFile(file, trust)
  return file
}

// ---- our programs ----------------------------------------------------------------------------

export interface ControllerProgram extends Program {
  readonly port: number
  readonly adminPort: number
}

export interface ControllerTerms {
  readonly name?: string
  readonly port?: number
  readonly kubeconfig?: string
  /** Not waited for: it may not get ready. */
  readonly wait?: 'ready' | 'no'
}

export async function startControllerProgram(
  stage: Stage,
  terms: ControllerTerms = {},
): Promise<ControllerProgram> {
  const [free = 0, adminPort = 0] = await freePorts(2)
  const port = terms.port ?? free
  const program = startProgram(stage, [
    'controller',
    `--kubeconfig=${terms.kubeconfig ?? stage.kubeconfig}`,
    `--listen=127.0.0.1:${port}`,
    `--admin=127.0.0.1:${adminPort}`,
    `--name=${terms.name ?? 'controller-a'}`,
    '--server-name=127.0.0.1',
  ])
  if (terms.wait !== 'no') await untilReady(program, adminPort)
  return { ...program, port, adminPort }
}

export interface DataPlaneProgram extends Program {
  readonly http: string
  readonly adminPort: number
}

export interface DataPlaneTerms {
  readonly pod: string
  readonly controllers: readonly number[]
  readonly port?: number
  readonly tokenFile?: string
  readonly wait?: 'ready' | 'no'
}

export async function startDataPlaneProgram(
  stage: Stage,
  terms: DataPlaneTerms,
): Promise<DataPlaneProgram> {
  const [free = 0, adminPort = 0] = await freePorts(2)
  const port = terms.port ?? free
  const state = join(stage.cluster.folder, `state-${terms.pod}`)
  await mkdir(state, { recursive: true, mode: 0o700 })
  const program = startProgram(stage, [
    'dataplane',
    `--controller=${terms.controllers.map((one) => `127.0.0.1:${one}`).join()}`,
    `--ca=${await stage.caFile()}`,
    `--token=${terms.tokenFile ?? (await stage.tokenFile(terms.pod))}`,
    `--http=127.0.0.1:${port}`,
    `--admin=127.0.0.1:${adminPort}`,
    `--state=${state}`,
    `--name=${terms.pod}`,
    '--workers=1',
    '--grace=1s',
  ])
  if (terms.wait !== 'no') await untilReady(program, adminPort)
  return { ...program, http: `http://127.0.0.1:${port}`, adminPort }
}
