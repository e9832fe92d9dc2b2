/**
 * A proxied GET on one core: requests per second and CPU per request, beside nginx in the same run.
 * The gateway has core 0 alone; the backend (nginx) and the load (wrk) share core 1.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../cluster/cluster.ts'
import { fairlead } from '../fake/fairlead.ts'
import { cpuMs, median, round, table } from './figures.ts'

const ROUNDS = 5
const SECONDS = 4
const CONNECTIONS = 32

interface Peer {
  readonly name: string
  readonly url: string
  readonly pid: number
}

interface Figures {
  readonly perSecond: number
  readonly cpuUs: number
}

export async function proxy(): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-bench-'))
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  try {
    const peers = await startPeers(folder, ends)
    const results = new Map<string, Figures[]>(peers.map(({ name }) => [name, []]))
    for (const peer of peers) await measure(peer) // warms up
    for (let i = 0; i < ROUNDS; i += 1) {
      for (const peer of peers) results.get(peer.name)?.push(await measure(peer))
    }
    return report(results)
  } finally {
    for (const one of ends.toReversed()) await one()
  }
}

function report(results: ReadonlyMap<string, readonly Figures[]>): readonly string[] {
  const of = (name: string, figure: keyof Figures): number =>
    median((results.get(name) ?? []).map((figures) => figures[figure]))
  const rows = [...results.keys()].map((name) => [
    name,
    Math.round(of(name, 'perSecond')),
    round(of(name, 'cpuUs')),
    round(of(name, 'cpuUs') / of('nginx', 'cpuUs'), 2),
  ])
  const ratio = of('Fairlead', 'cpuUs') / of('nginx', 'cpuUs')
  return [
    `${CONNECTIONS} connections, 200-byte JSON, medians of ${ROUNDS} rounds of ${SECONDS} s in turn.`,
    '',
    ...table(['gateway', 'requests/s on one core', 'CPU µs per request', '× nginx'], rows),
    '',
    `Verdict: ${ratio <= 4 ? 'within' : 'beyond'} 4 × nginx.`,
  ]
}

async function startPeers(
  folder: string,
  ends: (() => Promise<unknown>)[],
): Promise<readonly Peer[]> {
  const [backendPort, nginxPort] = await freePorts(2)
  const body = JSON.stringify({ items: 'x'.repeat(180) })
  const backend = await startNginx(folder, 'backend', 1, backendText(backendPort ?? 0, body))
  ends.push(() => end(backend))
  const nginx = await startNginx(folder, 'proxy', 0, proxyText(nginxPort ?? 0, backendPort ?? 0))
  ends.push(() => end(nginx))
  const shop = join(folder, 'shop')
  await mkdir(shop)
  await writeFile(join(shop, 'a.yaml'), routeText(backendPort ?? 0))
  const gateway = fairlead(
    ['dev', shop, '--http', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--workers', '1', '--quiet'],
    {},
    ['taskset', '-c', '0'],
  )
  ends.push(() => gateway.stop())
  const url = await urlOf(shop, gateway.child.pid ?? 0)
  return [
    { name: 'nginx', url: `http://127.0.0.1:${nginxPort}/books`, pid: nginx.pid ?? 0 },
    { name: 'Fairlead', url: `${url}/books`, pid: gateway.child.pid ?? 0 },
  ]
}

/** --quiet prints nothing: the port is found by asking the kernel who listens. */
async function urlOf(folder: string, pid: number): Promise<string> {
  const limit = performance.now() + 30_000
  while (performance.now() < limit) {
    const listening = await run('ss', ['-ltnpH']).catch(() => '')
    const ports = [...listening.matchAll(/127\.0\.0\.1:(\d+) .*pid=(\d+),/g)]
      .filter((match) => Number(match[2]) === pid)
      .map((match) => Number(match[1]))
    for (const port of ports) {
      const url = `http://127.0.0.1:${port}`
      const answer = await fetch(`${url}/books`).catch(() => null)
      if (answer?.status === 200 && (await answer.text()).includes('xxx')) return url
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`fairlead dev ${folder} does not serve`)
}

function startNginx(
  folder: string,
  name: string,
  core: number,
  text: string,
): Promise<ChildProcess> {
  return mkdir(join(folder, name)).then(async () => {
    const file = join(folder, name, 'nginx.conf')
    await writeFile(file, text.replaceAll('FOLDER', join(folder, name)))
    const args = ['-c', String(core), 'nginx', '-p', join(folder, name), '-c', file]
    return spawn('taskset', args, { stdio: 'ignore' })
  })
}

const NGINX = `daemon off; master_process off; worker_processes 1; pid FOLDER/pid; error_log FOLDER/error.log;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path FOLDER/b; proxy_temp_path FOLDER/p; fastcgi_temp_path FOLDER/f;
uwsgi_temp_path FOLDER/u; scgi_temp_path FOLDER/s; keepalive_requests 1000000000; HTTP }
`

function backendText(port: number, body: string): string {
  const server = `server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '${body}'; } }`
  return NGINX.replace('HTTP', server)
}

function proxyText(port: number, backend: number): string {
  return NGINX.replace(
    'HTTP',
    `upstream backend { server 127.0.0.1:${backend}; keepalive 64; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://backend; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } }`,
  )
}

function routeText(backendPort: number): string {
  return `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: bench }
spec:
  rules:
  - name: books
    public: true
    match: [{ path: /books }]
    backends: [{ service: { name: books, port: 80 } }]
---
apiVersion: v1
kind: Service
metadata: { name: books }
spec: { ports: [{ port: 80, targetPort: ${backendPort} }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: books-1, labels: { kubernetes.io/service-name: books } }
addressType: IPv4
ports: [{ name: "", port: ${backendPort}, protocol: TCP }]
endpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]
`
}

async function measure({ url, pid }: Peer): Promise<Figures> {
  const before = cpuMs(pid)
  const args = ['-c', '1', 'wrk', '-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, url]
  const said = await run('taskset', args)
  const cpu = cpuMs(pid) - before
  const requests = Number(/(\d+) requests in/.exec(said)?.[1] ?? Number.NaN)
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1] ?? Number.NaN)
  if (/Non-2xx|Socket errors/.test(said)) throw new Error(`${url}: ${said}`)
  return { perSecond, cpuUs: (cpu * 1000) / requests }
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program}: ${stderr || error.message}`))
    })
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}
