/**
 * The price of a large table: the same request through 10,000 routes over 500 hosts, and through
 * one.
 */
import { round, table } from './figures.ts'
import { compare, ROUNDS, SECONDS, wrk } from './load.ts'
import { fairleadPeer, PLAIN, routeText } from './peers/fairlead.ts'
import { startBackend } from './peers/nginx.ts'
import { SMALL_JSON } from './proxy.ts'
import { onStage } from './run.ts'

const ROUTES = 10_000
const HOSTS = 500
const GOAL = 1.05

export function routes(): Promise<readonly string[]> {
  return onStage(async (stage) => {
    const backend = await startBackend(stage, SMALL_JSON)
    const many = await fairleadPeer(stage, backend, {
      ...PLAIN,
      name: `${ROUTES} routes`,
      files: { 'routes.yaml': manyText() },
      ready: { path: '/r0/books', headers: {} },
    })
    const one = await fairleadPeer(stage, backend, { ...PLAIN, name: 'one route' })
    const peers = [one, many]
    const load = { path: '/r0/books', headers: [], more: [] }
    const results = await compare(peers, (peer) =>
      wrk(peer, peer === one ? { ...load, path: '/books' } : load),
    )
    const [small, large] = [one, many].map(({ name }) => results.get(name)?.cpuUs ?? Number.NaN)
    const ratio = (large ?? Number.NaN) / (small ?? Number.NaN)
    return [
      `Medians of ${ROUNDS} rounds of ${SECONDS} s in turn; the routes stand on ${HOSTS} hosts, the one asked for on none.`,
      '',
      ...table(
        ['table', 'CPU µs per request'],
        [...results].map(([name, { cpuUs }]) => [name, round(cpuUs)]),
      ),
      '',
      `Verdict: ${round(ratio, 3)} × (goal ${GOAL}${ratio <= GOAL ? '' : ', missed'}).`,
    ]
  })
}

/** The backend knows /books alone, so the one that is asked for rewrites its path. */
function manyText(): string {
  const first = routeText('r0', '/r0/books', '    rewrite: { path: /books }\n')
  const rest = Array.from({ length: ROUTES - 1 }, (_, i) =>
    routeText(`r${i + 1}`, `/r${i + 1}/**`, '').replace(
      'spec:\n',
      `spec:\n  hosts: [h${i % HOSTS}.example.com]\n`,
    ),
  )
  return [first, ...rest].join('---\n')
}
