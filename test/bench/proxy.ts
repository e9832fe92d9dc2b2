/**
 * A proxied GET of a small JSON on one core, keep-alive, 64 connections: beside nginx, HAProxy,
 * Envoy, Caddy, and a bare proxy on node:http and undici.
 */
import { round, table } from './figures.ts'
import { CONNECTIONS, compare, type Figures, PLAIN, ROUNDS, SECONDS, wrk } from './load.ts'
import { bareNodePeer } from './peers/bare-node.ts'
import { caddyPeer } from './peers/caddy.ts'
import { envoyPeer } from './peers/envoy.ts'
import { fairleadPeer } from './peers/fairlead.ts'
import { haproxyPeer } from './peers/haproxy.ts'
import { nginxPeer, startBackend } from './peers/nginx.ts'
import { onStage } from './run.ts'

export const SMALL_JSON = JSON.stringify({ items: 'x'.repeat(180) })

/** Of Fairlead's CPU per request: at most this share of each peer's. */
const GOALS: readonly (readonly [peer: string, ratio: number])[] = [
  ['nginx', 2],
  ['Envoy', 0.85],
  ['Caddy', 0.5],
  ['bare node:http + undici', 0.9],
]

export function proxy(): Promise<readonly string[]> {
  return onStage(async (stage) => {
    const backend = await startBackend(stage, SMALL_JSON)
    const peers = [
      await nginxPeer(stage, backend),
      await haproxyPeer(stage, backend),
      await envoyPeer(stage, backend),
      await caddyPeer(stage, backend),
      await bareNodePeer(stage, backend),
      await fairleadPeer(stage, backend),
    ]
    return report(await compare(peers, (peer) => wrk(peer, PLAIN)))
  })
}

function report(results: ReadonlyMap<string, Figures>): readonly string[] {
  const cpu = (name: string): number => results.get(name)?.cpuUs ?? Number.NaN
  const rows = [...results].map(([name, { perSecond, cpuUs }]) => [
    name,
    Math.round(perSecond),
    round(cpuUs),
    round(cpuUs / cpu('nginx'), 2),
  ])
  const verdicts = GOALS.map(([peer, goal]) => {
    const ratio = cpu('Fairlead') / cpu(peer)
    return `${round(ratio, 2)} × ${peer} (goal ${goal}${ratio <= goal ? '' : ', missed'})`
  })
  return [
    `${CONNECTIONS} connections, 200-byte JSON, medians of ${ROUNDS} rounds of ${SECONDS} s in turn.`,
    '',
    ...table(['gateway', 'requests/s on one core', 'CPU µs per request', '× nginx'], rows),
    '',
    `Verdict: ${verdicts.join(', ')}.`,
  ]
}
