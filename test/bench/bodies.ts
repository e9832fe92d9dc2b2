/**
 * Large bodies: 1 MiB down and 1 MiB up, as bytes per second of the gateway's CPU, beside nginx.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { round, table } from './figures.ts'
import { compare, type Figures, PLAIN, ROUNDS, SECONDS, wrk } from './load.ts'
import { fairleadPeer } from './peers/fairlead.ts'
import { nginxPeer, startBackend } from './peers/nginx.ts'
import { SMALL_JSON } from './proxy.ts'
import { onStage } from './run.ts'

const BODY_BYTES = 1024 * 1024
const GOAL = 0.5

const UPLOAD = `wrk.method = "POST"
wrk.body = string.rep("x", ${BODY_BYTES})
wrk.headers["content-type"] = "application/octet-stream"
`

export function bodies(): Promise<readonly string[]> {
  return onStage(async (stage) => {
    const backend = await startBackend(stage, SMALL_JSON)
    const script = join(stage.folder, 'upload.lua')
    await writeFile(script, UPLOAD)
    const peers = [await nginxPeer(stage, backend), await fairleadPeer(stage, backend)]
    const down = await compare(peers, (peer) => wrk(peer, { ...PLAIN, path: '/large' }))
    const up = await compare(peers, (peer) =>
      wrk(peer, { path: '/take', headers: [], more: ['-s', script] }),
    )
    const [downRatio, upRatio] = [ratioOf(down), ratioOf(up)]
    const worse = Math.min(downRatio, upRatio)
    return [
      `Bodies of 1 MiB, medians of ${ROUNDS} rounds of ${SECONDS} s in turn.`,
      '',
      ...table(
        ['gateway', 'down: MiB per CPU second', 'up: MiB per CPU second'],
        peers.map(({ name }) => [name, rate(down.get(name)), rate(up.get(name))]),
      ),
      '',
      `Verdict: ${round(downRatio, 2)} × nginx down, ${round(upRatio, 2)} × up (goal ${GOAL}${worse >= GOAL ? '' : ', missed'}).`,
    ]
  })
}

/** One MiB each. */
function rate(figures: Figures | undefined): number {
  return Math.round(1_000_000 / (figures?.cpuUs ?? Number.NaN))
}

function ratioOf(results: ReadonlyMap<string, Figures>): number {
  const cpu = (name: string): number => results.get(name)?.cpuUs ?? Number.NaN
  return cpu('nginx') / cpu('Fairlead')
}
