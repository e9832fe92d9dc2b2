/**
 * A real Kubernetes API server for one test file: etcd and kube-apiserver on free loopback ports, in
 * a temporary folder, with RBAC and service-account tokens on. There is no controller-manager: tests
 * write EndpointSlices themselves, and nothing is garbage-collected.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKubeClient, type KubeClient } from '../../controller/kube/client.ts'
import { loadCredentials } from '../../controller/kube/credentials.ts'
import { isRecord } from '../../crds/inspect.ts'
import { textAt } from '../../controller/kube/fields.ts'
import { requestToken } from './objects.ts'
import { until } from './until.ts'

export interface Cluster {
  readonly server: string
  /** Of an administrator. */
  readonly kubeconfig: string
  readonly folder: string
  /** Runs kubectl as the administrator; rejects with what it printed. */
  kubectl(args: readonly string[], input?: string): Promise<string>
  /** Of the administrator. */
  readonly api: KubeClient
  /** A kubeconfig of a ServiceAccount, with a token of one hour. */
  kubeconfigOf(namespace: string, serviceAccount: string): Promise<string>
  /** What ServiceAccounts have asked of the API server so far. */
  audit(): Promise<readonly Asked[]>
  /** Ends the API server, or all of it, and starts it again on the same ports. */
  stopApiServer(): Promise<void>
  startApiServer(): Promise<void>
}

export interface Asked {
  readonly user: string
  readonly verb: string
  readonly group: string
  /** With its subresource: `apiroutes/status`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly code: number
}

/** A test context, or the hooks of a test file. */
export interface Ending {
  after(end: () => unknown): void
}

const READY_WITHIN_MS = 60_000

/** Ends with the test, or the file, that asked for it. */
export async function startCluster(ending: Ending): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-cluster-'))
  const children = new Map<string, ChildProcess>()
  ending.after(async () => {
    await Promise.all([...children.values()].toReversed().map(ended))
    await rm(folder, { recursive: true, force: true })
  })
  const adminToken = randomBytes(16).toString('hex')
  await writeKeys(folder, adminToken)
  await writeFile(join(folder, 'audit.json'), AUDIT_POLICY)
  const [etcdPort, peerPort, apiPort = 0] = await freePorts(3)
  const etcd = `http://127.0.0.1:${etcdPort}`
  const peer = `http://127.0.0.1:${peerPort}`
  children.set('etcd', run(folder, 'etcd', etcdArguments(folder, etcd, peer)))
  const server = `https://127.0.0.1:${apiPort}`
  const kubeconfig = join(folder, 'admin.kubeconfig')
  const ca = join(folder, 'pki', 'apiserver.crt')
  await writeFile(kubeconfig, kubeconfigText(server, ca, adminToken), { mode: 0o600 })
  const kubectl = (args: readonly string[], input?: string): Promise<string> =>
    output(binary('kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], input)
  const api = createKubeClient(await loadCredentials(kubeconfig))
  ending.after(() => api.close())
  const cluster: Cluster = {
    server,
    kubeconfig,
    folder,
    kubectl,
    api,
    audit: () => readAudit(join(folder, 'audit.log')),
    async kubeconfigOf(namespace, account) {
      const path = join(folder, `${namespace}-${account}.kubeconfig`)
      const own = await requestToken(api, { namespace, account, audience: AUDIENCE })
      await writeFile(path, kubeconfigText(server, ca, own), { mode: 0o600 })
      return path
    },
    async stopApiServer() {
      const child = children.get('kube-apiserver')
      if (child !== undefined) await ended(child)
    },
    async startApiServer() {
      const args = apiServerArguments(folder, etcd, apiPort)
      children.set('kube-apiserver', run(folder, 'kube-apiserver', args))
      await untilReady(kubectl, folder)
    },
  }
  await cluster.startApiServer()
  return cluster
}

/** Only ServiceAccounts, only what was answered, no bodies. */
const AUDIT_POLICY = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', userGroups: ['system:serviceaccounts'] }, { level: 'None' }],
})

async function readAudit(path: string): Promise<readonly Asked[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  // The last line may be half-written.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return lines.filter((line) => line !== '').map(asked)
}

function asked(line: string): Asked {
  const event: unknown = JSON.parse(line)
  const subresource = textAt(event, 'objectRef', 'subresource')
  const resource = textAt(event, 'objectRef', 'resource') ?? ''
  const status = isRecord(event) ? event['responseStatus'] : null
  return {
    user: textAt(event, 'user', 'username') ?? '',
    verb: textAt(event, 'verb') ?? '',
    group: textAt(event, 'objectRef', 'apiGroup') ?? '',
    resource: subresource === null ? resource : `${resource}/${subresource}`,
    namespace: textAt(event, 'objectRef', 'namespace') ?? '',
    name: textAt(event, 'objectRef', 'name') ?? '',
    code: isRecord(status) ? Number(status['code']) : 0,
  }
}

const AUDIENCE = 'https://kubernetes.default.svc'

function binary(name: string): string {
  const assets = process.env['KUBEBUILDER_ASSETS']
  if (assets !== undefined && existsSync(join(assets, name))) return join(assets, name)
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  return join(cache, 'fairlead-cluster', 'bin', name)
}

/** Helm, built beside the API server. */
export function helm(args: readonly string[]): Promise<string> {
  return output(binary('helm'), args)
}

function run(folder: string, name: string, args: readonly string[]): ChildProcess {
  const child = spawn(binary(name), args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder })
  const log = createWriteStream(join(folder, `${name}.log`))
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  child.on('error', (error) => log.write(`cannot start: ${error.message}\n`))
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

async function writeKeys(folder: string, adminToken: string): Promise<void> {
  await mkdir(join(folder, 'pki'), { mode: 0o700 })
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(join(folder, 'pki', 'sa.key'), pkcs8, { mode: 0o600 })
  await writeFile(join(folder, 'pki', 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  await writeFile(
    join(folder, 'pki', 'tokens.csv'),
    `${adminToken},admin,admin,"system:masters"\n`,
    { mode: 0o600 },
  )
}

function etcdArguments(folder: string, client: string, peer: string): string[] {
  return [
    '--name=test',
    `--data-dir=${join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=test=${peer}`,
  ]
}

/** Bound to loopback it needs no endpoint reconciler; it signs its own certificate into pki/. */
function apiServerArguments(folder: string, etcd: string, port: number): string[] {
  const pki = join(folder, 'pki')
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--secure-port=${port}`,
    `--cert-dir=${pki}`,
    `--service-account-key-file=${join(pki, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(pki, 'sa.key')}`,
    `--service-account-issuer=${AUDIENCE}`,
    `--api-audiences=${AUDIENCE},fairlead-wire`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${join(pki, 'tokens.csv')}`,
    '--service-cluster-ip-range=10.242.0.0/24',
    // Where no route leads out, it would find no address to advertise, and end.
    '--advertise-address=127.0.0.1',
    '--disable-admission-plugins=ServiceAccount',
    `--audit-policy-file=${join(folder, 'audit.json')}`,
    `--audit-log-path=${join(folder, 'audit.log')}`,
  ]
}

function kubeconfigText(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
    'current-context': 'test',
  })
}

async function untilReady(kubectl: Cluster['kubectl'], folder: string): Promise<void> {
  try {
    await until('the API server is ready', READY_WITHIN_MS, async () => {
      const said = await kubectl(['get', '--raw=/readyz']).catch(() => '')
      return said === 'ok' ? said : null
    })
  } catch (error) {
    const log = await readFile(join(folder, 'kube-apiserver.log'), 'utf8').catch(() => '')
    throw new Error(`the API server did not get ready: ${log.slice(-3000)}`, { cause: error })
  }
}

export function output(file: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${file} ${args.join(' ')}: ${stderr.trim() || error.message}`))
    })
    child.stdin?.end(input ?? '')
  })
}

/** Ports that were free a moment ago; held open together so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address !== null ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
