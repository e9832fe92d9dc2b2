/**
 * Objects of the cluster by way of plain requests: a test that changes twenty of them does not start
 * kubectl twenty times. What people do with kubectl is tested with kubectl.
 */
import { parseAllDocuments } from 'yaml'
import { KINDS } from '../../crds/kinds.ts'
import { type KubeClient, successOf } from '../../controller/kube/client.ts'
import { at, listAt, textAt } from '../../controller/kube/fields.ts'

const OTHERS: Readonly<Record<string, string>> = {
  Service: 'services',
  Secret: 'secrets',
  Pod: 'pods',
  ConfigMap: 'configmaps',
  EndpointSlice: 'endpointslices',
  RoleBinding: 'rolebindings',
}

export function pathOf(object: unknown): string {
  const kind = textAt(object, 'kind') ?? ''
  const version = textAt(object, 'apiVersion') ?? ''
  const namespace = textAt(object, 'metadata', 'namespace') ?? 'default'
  const own = Object.values(KINDS).find((facts) => facts.kind === kind)
  const plural = own?.plural ?? OTHERS[kind]
  if (plural === undefined) throw new Error(`no such kind here: ${kind}`)
  const api = version.includes('/') ? `/apis/${version}` : `/api/${version}`
  return `${api}/namespaces/${namespace}/${plural}`
}

/** Server-side apply, as `kubectl apply --server-side --force-conflicts`. */
export async function applyAll(api: KubeClient, yaml: string): Promise<void> {
  for (const document of parseAllDocuments(yaml)) {
    const object: unknown = document.toJS()
    if (object === null) continue
    const path = `${pathOf(object)}/${textAt(object, 'metadata', 'name')}`
    const query = { fieldManager: 'test', force: 'true' }
    const contentType = 'application/apply-patch+yaml'
    successOf(await api.request({ method: 'PATCH', path, query, contentType, body: object }))
  }
}

/** `namespace/plural/name` of one of our kinds. */
export function resourcePath(resource: string): string {
  const [namespace = '', plural = '', name = ''] = resource.split('/')
  return `/apis/fairlead.dev/v1alpha1/namespaces/${namespace}/${plural}/${name}`
}

export async function readObject(api: KubeClient, resource: string): Promise<unknown> {
  return successOf(await api.request({ method: 'GET', path: resourcePath(resource) }))
}

export async function removeObject(api: KubeClient, resource: string): Promise<void> {
  successOf(await api.request({ method: 'DELETE', path: resourcePath(resource) }))
}

/** `True Programmed`, for the generation that is there now; null: nothing is said about it. */
export function conditionIn(object: unknown, type: string): string | null {
  const found = listAt(object, 'status', 'conditions').find((one) => textAt(one, 'type') === type)
  if (at(found, 'observedGeneration') !== at(object, 'metadata', 'generation')) return null
  return `${textAt(found, 'status')} ${textAt(found, 'reason')}`
}

export async function requestToken(api: KubeClient, of: TokenOf): Promise<string> {
  const { namespace, account, audience, pod } = of
  const uid = pod === undefined ? null : await podUid(api, namespace, pod)
  const bound =
    uid === null ? {} : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod, uid } }
  const answer = await api.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [audience], ...bound },
    },
  })
  return textAt(successOf(answer), 'status', 'token') ?? ''
}

export interface TokenOf {
  readonly namespace: string
  readonly account: string
  readonly audience: string
  readonly pod?: string
}

async function podUid(api: KubeClient, namespace: string, name: string): Promise<string | null> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`
  return textAt(successOf(await api.request({ method: 'GET', path })), 'metadata', 'uid')
}
