/**
 * The controller in a cluster: its composition root. Wires the configuration walk together and owns
 * the order of starting and stopping; the walk itself is told by walk.ts and compile/compile.ts.
 */
import { type Board, createBoard } from './status/board.ts'
import { createCompiler } from './compile/compile.ts'
import type { Compiled, Verdict } from './compile/compiled.ts'
import type { Kind, Snapshot } from './compile/snapshot.ts'
import { createKubeClient, type KubeClient, successOf } from './kube/client.ts'
import { loadCredentials } from './kube/credentials.ts'
import { numberAt } from './kube/fields.ts'
import type { Logger } from './log.ts'
import { type Probe, startProbe } from './probe.ts'
import { clusterCertificates } from './push/certificate-store.ts'
import { fingerprint, sha256 } from './push/encode.ts'
import { gatewayOfAccount, type Identify, tokenReview } from './push/identity.ts'
import { createPush, type Push } from './push/push.ts'
import { type Lease, startLease } from './status/lease.ts'
import { membersOf } from './status/members.ts'
import { createStatusWriter, type StatusWriter } from './status/writer.ts'
import { startWalk, type Walk } from './walk.ts'
import { collectionPath, WATCHED_KINDS } from './watch/kinds.ts'
import { clusterMemory } from './watch/last-valid.ts'
import type { Source } from './watch/source.ts'
import { watchCluster } from './watch/watch.ts'

export interface ControllerOptions {
  /** Null: the pod's own account, else KUBECONFIG. */
  readonly kubeconfig: string | null
  readonly listen: { readonly host: string; readonly port: number }
  readonly admin: { readonly host: string; readonly port: number }
  readonly namespace: string
  /** `namespace/name` */
  readonly defaultGateway: string
  readonly secrets: 'namespaced' | 'cluster'
  /** Of this replica. */
  readonly name: string
  readonly serverNames: readonly string[]
  readonly log: Logger
}

export interface Controller {
  readonly port: number
  readonly adminPort: number
  close(): Promise<void>
}

const API_VERSION = 'fairlead.dev/v1alpha1'
const LEASE_NAME = 'fairlead-controller'
/** Certificates live for 90 days and are renewed when a third is left: looked at twice a day. */
const CERTIFICATES_EVERY_MS = 12 * 3_600_000

/** Resolves once data planes can connect; the walk starts as soon as everything has been read. */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const client = createKubeClient(await loadCredentials(options.kubeconfig))
  const parts = await startParts(options, client)
  const renewal = setInterval(() => {
    parts.certificates
      .current()
      .then(({ server }) => parts.push.replaceCertificate(server))
      .catch((error: unknown) => options.log.warn({}, `certificates not renewed: ${String(error)}`))
  }, CERTIFICATES_EVERY_MS)
  renewal.unref()
  return {
    port: parts.push.port,
    adminPort: parts.probe.port,
    async close() {
      clearInterval(renewal)
      parts.walk.stop()
      parts.writer.close()
      await parts.source.close()
      await parts.lease.release()
      await parts.push.close()
      await parts.probe.close()
      await client.close()
    },
  }
}

interface Parts {
  readonly certificates: ReturnType<typeof clusterCertificates>
  readonly push: Push
  readonly source: Source
  readonly walk: Walk
  readonly writer: StatusWriter
  readonly lease: Lease
  readonly probe: Probe
}

async function startParts(options: ControllerOptions, client: KubeClient): Promise<Parts> {
  const { log, namespace } = options
  const names = options.serverNames
  const certificates = clusterCertificates({ client, namespace, names, nowMs: Date.now })
  const read: { snapshot: Snapshot | null } = { snapshot: null }
  const push = await createPush({
    listen: options.listen,
    certificate: (await certificates.current()).server,
    identify: identification(client, read),
    log,
    onMembers: (gateway) => writer.touch(board.membersChanged(gateway)),
  })
  const source = watchCluster({
    client,
    installation: { defaultGateway: options.defaultGateway, unresolvedServices: 'problem' },
    secrets: options.secrets,
    changed: () => walk.changed(),
    log,
  })
  const lease = startLease({
    client,
    namespace,
    name: LEASE_NAME,
    identity: options.name,
    address: `${options.name}:${push.port}`,
    log,
    changed: () => writer.touch(board.verdicts().keys()),
    now: () => performance.now(),
  })
  const standing = () => lease.standing()
  const board: Board = createBoard({
    push,
    members: (gateway) => membersOf(gateway, read.snapshot, push.members(gateway)),
    statusBefore: (verdict) =>
      source.statusBefore(kindOf(verdict), verdict.namespace, verdict.name),
    now: () => new Date(),
  })
  const writer = createStatusWriter(writerOptions(options, { client, lease, board, source }))
  const compiler = createCompiler({ sha256, fingerprint })
  const walk = startWalk({
    source,
    compile: (snapshot) => compiler.compile(snapshot),
    memory: clusterMemory({ client, apiVersion: API_VERSION, standing, log }),
    push,
    epochs: epochsOf,
    prepare: () => Promise.resolve(),
    compiled: (compiled: Compiled, snapshot: Snapshot) => {
      read.snapshot = snapshot
      writer.touch(board.compiled(compiled))
    },
    log,
  })
  const ready = () => (read.snapshot === null ? 'no' : 'yes')
  const probe = await startProbe({ listen: options.admin, ready })
  return { certificates, push, source, walk, writer, lease, probe }
}

/** Until everything has been read nobody is known, so that nobody is told wrong things. */
function identification(
  client: KubeClient,
  read: { readonly snapshot: Snapshot | null },
): Identify {
  return tokenReview({
    review: (spec) => review(client, spec),
    gatewayOf: (account) =>
      read.snapshot === null ? null : gatewayOfAccount(read.snapshot.kinds.ApiGateway, account),
    pod: 'optional',
  })
}

interface Writing {
  readonly client: KubeClient
  readonly lease: Lease
  readonly board: Board
  readonly source: Source
}

function writerOptions(options: ControllerOptions, { client, lease, board, source }: Writing) {
  let event = 0
  return {
    client,
    log: options.log,
    events: {
      client,
      apiVersion: API_VERSION,
      instance: options.name,
      now: () => new Date(),
      id: () => `${Date.now().toString(36)}${(event++ % 1296).toString(36)}`,
    },
    pathOf: (kind: string, namespace: string) => {
      const watched = WATCHED_KINDS.find((candidate) => candidate.kind === kind)
      if (watched === undefined) throw new TypeError(`no such kind: ${kind}`)
      return collectionPath(watched, namespace)
    },
    apiVersion: API_VERSION,
    standing: () => lease.standing(),
    statusOf: (id: string) => {
      const verdict = board.verdict(id)
      const status = board.status(id)
      if (verdict === null || status === null) return null
      const kind = kindOf(verdict)
      return {
        verdict,
        status,
        before: source.statusBefore(kind, verdict.namespace, verdict.name),
        resourceVersion: source.version(kind, verdict.namespace, verdict.name),
      }
    },
    now: () => performance.now(),
  }
}

function kindOf(verdict: Verdict): Kind {
  const watched = WATCHED_KINDS.find((candidate) => candidate.kind === verdict.kind)
  if (watched === undefined) throw new TypeError(`no such kind: ${verdict.kind}`)
  return watched.kind
}

async function review(client: KubeClient, spec: object): Promise<unknown> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec }
  const path = '/apis/authentication.k8s.io/v1/tokenreviews'
  return successOf(await client.request({ method: 'POST', path, body }))
}

/** `spec.epoch`: an operator raises it after etcd was restored, so that older bases are taken. */
export function epochsOf(snapshot: Snapshot): ReadonlyMap<string, number> {
  const epochs = new Map<string, number>()
  for (const [namespace, names] of snapshot.kinds.ApiGateway) {
    for (const [name, gateway] of names) {
      epochs.set(`${namespace}/${name}`, numberAt(gateway.content['spec'], 'epoch') ?? 0)
    }
  }
  return epochs
}
