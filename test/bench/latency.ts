/**
 * What the gateway adds to a request's time at half of what it can carry: percentiles with it and
 * without it, at the same pace.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { median, percentile, round, table } from './figures.ts'
import { PLAIN, ROUNDS, wrk } from './load.ts'
import { LOAD_CORE } from './peers/peer.ts'
import { fairleadPeer } from './peers/fairlead.ts'
import { startBackend } from './peers/nginx.ts'
import { SMALL_JSON } from './proxy.ts'
import { onStage, run, type Stage } from './run.ts'

const CLIENTS = 16
const SECONDS = 4
const GOAL_P50_MS = 0.15
const GOAL_P99_MS = 1

export function latency(): Promise<readonly string[]> {
  return onStage(async (stage) => {
    const backend = await startBackend(stage, SMALL_JSON)
    const gateway = await fairleadPeer(stage, backend)
    const direct = `http://127.0.0.1:${backend.port}/books`
    await wrk(gateway, PLAIN) // warms up
    const half = Math.floor((await wrk(gateway, PLAIN)).perSecond / 2 / CLIENTS)
    const rounds = { direct: [] as Times[], gateway: [] as Times[] }
    for (let i = 0; i < ROUNDS; i += 1) {
      rounds.direct.push(await paced(stage, direct, half))
      rounds.gateway.push(await paced(stage, `${gateway.url}/books`, half))
    }
    const of = (times: readonly Times[], which: keyof Times): number =>
      median(times.map((one) => one[which]))
    const p50 = of(rounds.gateway, 'p50') - of(rounds.direct, 'p50')
    const p99 = of(rounds.gateway, 'p99') - of(rounds.direct, 'p99')
    const kept = p50 <= GOAL_P50_MS && p99 <= GOAL_P99_MS
    return [
      `${half * CLIENTS} requests a second over ${CLIENTS} connections: half of what one worker carries. Medians of ${ROUNDS} rounds of ${SECONDS} s in turn.`,
      '',
      ...table(
        ['path', 'p50 ms', 'p99 ms'],
        Object.entries(rounds).map(([name, times]) => [
          name,
          round(of(times, 'p50'), 3),
          round(of(times, 'p99'), 3),
        ]),
      ),
      '',
      `Verdict: ${round(p50, 3)} ms more at p50, ${round(p99, 3)} ms at p99 (goals ${GOAL_P50_MS} and ${GOAL_P99_MS}${kept ? '' : ', missed'}).`,
    ]
  })
}

interface Times {
  readonly p50: number
  readonly p99: number
}

/** `perClient`: requests a second of each. */
async function paced(stage: Stage, url: string, perClient: number): Promise<Times> {
  const log = join(stage.folder, `paced-${performance.now()}`)
  const load = [`-c${CLIENTS}`, '-t1', `--rps=${perClient}`, '-D', String(SECONDS)]
  await run('taskset', [
    '-c',
    String(LOAD_CORE),
    'h2load',
    '--h1',
    ...load,
    `--log-file=${log}`,
    url,
  ])
  // A line a request: when it began, its status, microseconds.
  const lines = (await readFile(log, 'utf8')).trim().split('\n')
  const times = lines.map((line) => Number(line.split('\t')[2]) / 1000)
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}
