/**
 * Data planes as processes of their own, with a table on disk and no controller: what tests kill.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { xorOf } from '#wire/digest'
import type { Rule } from '#wire/table'
import { BACKEND, freePort, get, listLog, tableOf } from '../../dataplane/fake/plane.ts'
import { openDisk } from '../../dataplane/sync/disk.ts'
import { until } from '../../dataplane/upstream/fake/recorder.ts'

const STARTS_WITHIN_MS = 60_000

/** A state folder whose table serves these rules; whoever starts a data plane on it removes it. */
export async function stateWith(rules: readonly Rule[], backendPort = 1): Promise<string> {
  const state = await mkdtemp(join(tmpdir(), 'fairlead-'))
  const disk = await openDisk({ folder: state, log: listLog() })
  const objects = tableOf(rules)
  const hash = xorOf(objects.map(({ digest }) => digest))
  await disk.writeTable({ objects, hash, reached: { epoch: '1', basis: { folder: '1' } } })
  const endpoints = [{ address: '127.0.0.1', port: backendPort, zone: null }]
  const sets = [{ backend: BACKEND, version: 1, endpoints }]
  await disk.writeEndpoints({ atMs: Date.now(), sets })
  await writeFile(join(state, 'token'), 'x')
  return state
}

export interface PlaneProcess {
  readonly http: number
  readonly admin: number
  /** The supervisor. */
  readonly child: ChildProcess
  /** Of the process that serves now. */
  pid(): number
  output(): string
  metric(name: string): Promise<number>
  readonly exit: Promise<number | null>
}

const UNRULY_PLANE = join(import.meta.dirname, 'unruly-plane.ts')

export interface PlaneBounds {
  /** What bash does first, such as `ulimit -n 100`. */
  readonly shell?: string
  readonly memoryBytes?: number
}

/** Serves when it resolves. It ends with the test, and then its state goes: it writes until then. */
export async function startPlane(
  t: TestContext,
  state: string,
  { shell = 'true', memoryBytes = 0 }: PlaneBounds = {},
): Promise<PlaneProcess> {
  const [http, admin] = [await freePort(), await freePort()]
  const command = `${shell}; exec "$0" "$@"`
  const numbers = [http, admin, memoryBytes].map(String)
  const args = [process.execPath, UNRULY_PLANE, state, ...numbers]
  const child = spawn('bash', ['-c', command, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  }
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  t.after(async () => {
    await end(child, exit)
    await rm(state, { recursive: true, force: true, maxRetries: 10 })
  })
  const plane: PlaneProcess = {
    http,
    admin,
    child,
    pid: () => childOf(child.pid ?? 0),
    output: () => text,
    metric: async (name) => {
      const { body } = await get(admin, '/metrics')
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1] ?? Number.NaN)
    },
    exit,
  }
  await until('it serves', () => isReady(admin), STARTS_WITHIN_MS)
  return plane
}

async function end(child: ChildProcess, exit: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const served = childOf(child.pid ?? 0)
  child.kill('SIGKILL')
  if (served > 0) process.kill(served, 'SIGKILL')
  await exit
}

export async function isReady(admin: number): Promise<boolean> {
  return get(admin, '/readyz').then(
    ({ status }) => status === 200,
    () => false,
  )
}

/** The only child of a process; 0: it has none. */
function childOf(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
    return Number(children.trim().split(' ')[0] ?? 0)
  } catch {
    return 0
  }
}

/** Of all threads of a process since it started: what a loaded machine cannot change. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
