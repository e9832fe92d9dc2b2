/**
 * The controller in a cluster: its composition root. Wires the configuration walk together and owns
 * the order of starting and stopping; the walk itself is told by walk.ts and compile/compile.ts.
 * Proved by test/cluster/walk.test.ts.
 */
import { type Board, createBoard } from './status/board.ts'
import { createCompiler } from './compile/compile.ts'
import { type Kind, resourceId, type Snapshot } from './compile/snapshot.ts'
import { type Account, subjectFlag, whoAmI } from './kube/account.ts'
import { createKubeClient, type KubeClient, successOf } from './kube/client.ts'
import { loadCredentials } from './kube/credentials.ts'
import { numberAt } from './kube/fields.ts'
import { untilAnswered } from './kube/patience.ts'
import type { Logger } from './log.ts'
import { startProbe } from './probe.ts'
import { type CertificateStore, clusterCertificates } from './push/certificate-store.ts'
import { certificate, fingerprint, sha256 } from './push/encode.ts'
import { gatewayOfAccount, type Identify, tokenReview } from './push/identity.ts'
import { trustOf } from './push/certificate.ts'
import { createPush, type Push } from './push/push.ts'
import { type Reporter, startReporter } from './push/reporter.ts'
import { type Lease, startLease } from './status/lease.ts'
import { createMembers } from './status/members.ts'
import { createStatusWriter, type StatusWriter, type WriterOptions } from './status/writer.ts'
import { startWalk, type Walk } from './walk.ts'
import { collectionPath, WATCHED_KINDS, type WatchedKind } from './watch/kinds.ts'
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
  /** ClusterRole that lets its bearer read Secrets, for what people are told to bind. */
  readonly secretsRole: string
  /** Of this replica. */
  readonly name: string
  /** `host:port` under which other replicas reach this one; null: they do not. */
  readonly address: string | null
  /** Our own token for the audience of the wire, to tell the leader by; null: nobody is told. */
  readonly tokenFile: string | null
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

/**
 * Resolves once data planes can connect, which takes an API server that answers; until then it
 * lives and is not ready. The walk starts as soon as everything has been read.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const credentials = await loadCredentials(options.kubeconfig)
  const read: Read = { snapshot: null }
  const ready = () => (read.snapshot === null ? 'no' : 'yes')
  const probe = await startProbe({ listen: options.admin, ready })
  const client = createKubeClient(credentials)
  // Statuses have connections of their own: a thousand of them must not stand before a list.
  const statusClient = createKubeClient(credentials)
  try {
    const parts = await startParts({ ...options, client, statusClient, read })
    return {
      port: parts.push.port,
      adminPort: probe.port,
      async close() {
        await stopParts(parts)
        await probe.close()
        await Promise.all([client.close(), statusClient.close()])
      },
    }
  } catch (error) {
    await probe.close()
    throw error
  }
}

/** The newest snapshot that was compiled; null: not everything has been read yet. */
interface Read {
  snapshot: Snapshot | null
}

interface Starting extends ControllerOptions {
  readonly client: KubeClient
  readonly statusClient: KubeClient
  readonly read: Read
}

interface Parts {
  readonly push: Push
  readonly source: Source
  readonly walk: Walk
  readonly writer: StatusWriter
  readonly lease: Lease
  readonly renewal: NodeJS.Timeout
  readonly reporter: Reporter
}

async function stopParts(parts: Parts): Promise<void> {
  const { push, source, walk, writer, lease, renewal, reporter } = parts
  clearInterval(renewal)
  reporter.close()
  walk.stop()
  writer.close()
  await source.close()
  await lease.release()
  await push.close()
}

async function startParts(options: Starting): Promise<Parts> {
  const { client, namespace, log, read } = options
  const names = options.serverNames
  const account = await untilAnswered('who are we', log, () => whoAmI(client))
  const certificates = clusterCertificates({ client, namespace, names, nowMs: Date.now })
  const first = await untilAnswered('certificates', log, () => certificates.current())
  const push = await createPush({
    listen: options.listen,
    certificate: first.server,
    identify: identification(client, read, account),
    log,
    onMembers(gateway) {
      told(board.membersChanged(gateway), [gateway])
      reporter.changed()
    },
    onBehind: (type) => source.catchUp(type),
  })
  const lease = startLease({
    client,
    namespace,
    name: LEASE_NAME,
    identity: options.name,
    address: options.address,
    log,
    changed: () => {
      writer.touch(board.verdicts().keys())
      walk.changed() // last valid specs are stored by the leader
      reporter.changed()
    },
    now: () => performance.now(),
  })
  const source = watchCluster({
    client,
    installation: { defaultGateway: options.defaultGateway, unresolvedServices: 'problem' },
    secrets: options.secrets,
    grantLine: (closed) => grantLine(closed, options.secretsRole, subjectFlag(account)),
    changed: () => walk.changed(),
    statusSeen: (id) => writer.touch([id]),
    log,
  })
  const members = createMembers()
  const board: Board = createBoard({
    push,
    members: (gateway) => members.of(gateway, read.snapshot, push.members(gateway)),
    statusBefore: ({ kind, namespace: inside, name }) =>
      source.statusBefore(kindOf(kind), inside, name),
    now: () => new Date(),
  })
  const writer = createStatusWriter(writerOptions(options, { lease, board, source }))
  const told = createTold(board, writer)
  const trust = { pem: trustOf(first) }
  const reporter = startReporting(options, { lease, push, trust })
  const walk = startCompiling(options, { source, lease, push, board, told, reporter })
  const renewal = setInterval(() => {
    renew(certificates, push, trust).catch((error: unknown) => {
      log.warn({}, `certificates not renewed: ${String(error)}`)
    })
  }, CERTIFICATES_EVERY_MS)
  renewal.unref()
  return { push, source, walk, writer, lease, renewal, reporter }
}

/** PEM of the authorities of the wire, the newest too. */
interface Trust {
  pem: string
}

interface ReportingParts {
  readonly lease: Lease
  readonly push: Push
  readonly trust: Trust
}

const NOBODY: Reporter = { changed: () => undefined, close: () => undefined }

function startReporting(options: Starting, { lease, push, trust }: ReportingParts): Reporter {
  const { tokenFile, name, log } = options
  if (tokenFile === null) return NOBODY
  return startReporter({
    name,
    leader: () => lease.leader(),
    trust: () => trust.pem,
    servername: options.serverNames[0] ?? '',
    tokenFile,
    own: push.own,
    log,
  })
}

interface Compiling {
  readonly source: Source
  readonly lease: Lease
  readonly push: Push
  readonly board: Board
  readonly told: Told
  readonly reporter: Reporter
}

function startCompiling(options: Starting, parts: Compiling): Walk {
  const { client, log, read } = options
  const { source, lease, push, board, told, reporter } = parts
  const compiler = createCompiler({ sha256, fingerprint, certificate })
  const memory = clusterMemory({
    client,
    apiVersion: API_VERSION,
    standing: () => lease.standing(),
    current: (namespace, name) => source.current('LastValid', namespace, name),
    log,
    now: () => performance.now(),
  })
  return startWalk({
    source,
    compile: (snapshot) => compiler.compile(snapshot),
    memory,
    push,
    epochs: epochsOf,
    prepare: () => Promise.resolve(),
    compiled: (compiled, snapshot) => {
      read.snapshot = snapshot
      told(board.compiled(compiled), compiled.tables.keys())
      reporter.changed()
    },
    log,
  })
}

async function renew(certificates: CertificateStore, push: Push, trust: Trust): Promise<void> {
  const current = await certificates.current()
  push.replaceCertificate(current.server)
  trust.pem = trustOf(current)
}

/** Until everything has been read nobody is known, so that nobody is told wrong things. */
function identification(client: KubeClient, read: Read, us: Account): Identify {
  return (token) => {
    const { snapshot } = read
    if (snapshot === null) {
      return Promise.resolve({ kind: 'unavailable', because: 'not everything has been read yet' })
    }
    const identify = tokenReview({
      review: (spec) => review(client, spec),
      gatewayOf: (account) => gatewayOfAccount(snapshot.kinds.ApiGateway, account),
      isOurs: ({ namespace, name }) =>
        us.username === `system:serviceaccount:${namespace}:${name}` ? 'yes' : 'no',
      pod: 'optional',
    })
    return identify(token)
  }
}

type Told = (ids: Iterable<string>, gateways: Iterable<string>) => void

/** A gateway whose data planes lag is looked at again although nothing happens: that is the news. */
function createTold(board: Board, writer: StatusWriter): Told {
  const looking = new Set<string>()

  function look(gateway: string): void {
    const inMs = board.lookAgainInMs(gateway)
    if (inMs === null || looking.has(gateway)) return
    looking.add(gateway)
    const timer = setTimeout(() => {
      looking.delete(gateway)
      const [namespace = '', name = ''] = gateway.split('/')
      writer.touch([resourceId('ApiGateway', namespace, name)])
      look(gateway)
    }, inMs)
    timer.unref()
  }

  return (ids, gateways) => {
    writer.touch(ids)
    for (const gateway of gateways) look(gateway)
  }
}

function grantLine(namespace: string | null, role: string, subject: string): string {
  const binding =
    namespace === null ? 'create clusterrolebinding' : `-n ${namespace} create rolebinding`
  return `kubectl ${binding} ${role} --clusterrole=${role} ${subject}`
}

interface Writing {
  readonly lease: Lease
  readonly board: Board
  readonly source: Source
}

function writerOptions(options: Starting, { lease, board, source }: Writing): WriterOptions {
  const { log, name: instance, statusClient: client } = options
  const now = (): Date => new Date()
  return {
    client,
    log,
    events: { client, apiVersion: API_VERSION, instance, now, id: eventIds() },
    pathOf: (kind, namespace) => collectionPath(watchedOf(kind), namespace),
    apiVersion: API_VERSION,
    standing: () => lease.standing(),
    statusOf(id) {
      const verdict = board.verdict(id)
      if (verdict === null) return null
      const { namespace, name } = verdict
      const kind = kindOf(verdict.kind)
      // What was judged is no longer what is there: the next verdict is on its way.
      const current = source.current(kind, namespace, name)
      if (current?.resourceVersion !== verdict.resourceVersion) return null
      const status = board.status(id)
      if (status === null) return null
      return {
        verdict,
        status,
        before: source.statusBefore(kind, namespace, name),
        resourceVersion: source.version(kind, namespace, name),
      }
    },
    now: () => performance.now(),
  }
}

/** Unique among those of one object. */
function eventIds(): () => string {
  let event = 0
  return () => `${Date.now().toString(36)}${(event++ % 1296).toString(36)}`
}

function watchedOf(kind: string): WatchedKind {
  const watched = WATCHED_KINDS.find((candidate) => candidate.kind === kind)
  if (watched === undefined) throw new TypeError(`no such kind: ${kind}`)
  return watched
}

function kindOf(kind: string): Kind {
  return watchedOf(kind).kind
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
