/**
 * The two clients that can carry plain HTTP/1.1 to a backend, behind the same least front: which one
 * takes less of a core.
 */
import { round, table } from './figures.ts'
import { compare, CONNECTIONS, PLAIN, ROUNDS, SECONDS, wrk } from './load.ts'
import { bareLanePeer } from './peers/bare-lane.ts'
import { nginxPeer, startBackend } from './peers/nginx.ts'
import { SMALL_JSON } from './proxy.ts'
import { onStage } from './run.ts'

export function lanes(): Promise<readonly string[]> {
  return onStage(async (stage) => {
    const backend = await startBackend(stage, SMALL_JSON)
    const peers = [
      await nginxPeer(stage, backend),
      await bareLanePeer(stage, backend, 'own'),
      await bareLanePeer(stage, backend, 'undici'),
    ]
    const results = await compare(peers, (peer) => wrk(peer, PLAIN))
    const rows = [...results].map(([name, { perSecond, cpuUs }]) => [
      name,
      Math.round(perSecond),
      round(cpuUs),
    ])
    const [, own = Number.NaN, undici = Number.NaN] = peers.map(
      ({ name }) => results.get(name)?.cpuUs ?? Number.NaN,
    )
    return [
      `${CONNECTIONS} connections, 200-byte JSON, medians of ${ROUNDS} rounds of ${SECONDS} s in turn.`,
      '',
      ...table(['client', 'requests/s on one core', 'CPU µs per request'], rows),
      '',
      `Verdict: our own lane takes ${round(own / undici, 2)} of what undici takes.`,
    ]
  })
}
