/**
 * Rounds of load on several gateways in turn, so that whatever the machine does meanwhile falls on
 * all of them alike; of each figure the median counts.
 */
import { cpuMs, median } from './figures.ts'
import { LOAD_CORE, type Peer } from './peers/peer.ts'
import { run } from './run.ts'

export const ROUNDS = 5
export const SECONDS = 3
export const CONNECTIONS = 64

export interface Load {
  readonly path: string
  readonly headers: readonly string[]
  /** Further arguments of wrk. */
  readonly more: readonly string[]
}
export const PLAIN: Load = { path: '/books', headers: [], more: [] }

export interface Figures {
  readonly perSecond: number
  readonly cpuUs: number
}

export async function compare(
  peers: readonly Peer[],
  one: (peer: Peer) => Promise<Figures>,
): Promise<ReadonlyMap<string, Figures>> {
  const results = new Map<string, Figures[]>(peers.map(({ name }) => [name, []]))
  for (const peer of peers) await one(peer) // warms up
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const peer of peers) results.get(peer.name)?.push(await one(peer))
  }
  return new Map([...results].map(([name, figures]) => [name, medians(figures)]))
}

function medians(figures: readonly Figures[]): Figures {
  return {
    perSecond: median(figures.map(({ perSecond }) => perSecond)),
    cpuUs: median(figures.map(({ cpuUs }) => cpuUs)),
  }
}

/** One round of wrk on one peer. */
export async function wrk({ url, pid }: Peer, { path, headers, more }: Load): Promise<Figures> {
  const before = cpuMs(pid)
  const said = await run('taskset', [
    '-c',
    String(LOAD_CORE),
    'wrk',
    '--timeout=10s',
    '-t1',
    `-c${CONNECTIONS}`,
    `-d${SECONDS}s`,
    ...headers.flatMap((header) => ['-H', header]),
    ...more,
    `${url}${path}`,
  ])
  const cpu = cpuMs(pid) - before
  const requests = Number(/(\d+) requests in/.exec(said)?.[1] ?? Number.NaN)
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(said)?.[1] ?? Number.NaN)
  if (/Non-2xx|Socket errors/.test(said)) throw new Error(`${url}${path}: ${said}`)
  return { perSecond, cpuUs: (cpu * 1000) / requests }
}
