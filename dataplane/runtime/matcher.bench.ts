/**
 * What one look-up costs at 10,000 routes: `node dataplane/runtime/matcher.bench.ts [ROUTES]`. The figure to
 * reach is 2 µs (design: section 20). Requests are spread over all routes, and each comes with a
 * path and a host of its own, as from a socket; what making them costs is taken off.
 */
import { type Exchange, newExchange } from '../request/exchange.ts'
import { EntriesOfHost, type HostEntry, type HostMatcher } from './host-matcher.ts'
import { TableMatcher } from './matcher.ts'
import { Reached } from './path-trie.ts'
import type { MatcherEntry, PreparedPath } from './prepared-match.ts'
import { fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'

const ROUTES = Number(process.argv[2] ?? 10_000)
const REQUESTS = 65_536
const ROUNDS = 12

function segments(text: string, end: 'exact' | 'below'): PreparedPath {
  const words = text.slice(1).split('/')
  const list = words.map((w) => (w.startsWith('{') ? { param: w.slice(1, -1) } : { literal: w }))
  const captures = text.includes('{') ? 'params' : 'nothing'
  return { kind: 'segments', segments: list, end, captures }
}

/** Three rules of one route, most specific first. */
function entriesOf(route: number): MatcherEntry[] {
  const at = `/team-${route % 100}/api-${route}`
  const paths = [
    segments(`${at}/status`, 'exact'),
    segments(`${at}/orders/{id}`, 'exact'),
    segments(at, 'below'),
  ]
  return paths.map((path, i) => ({
    rule: fakeRule({ key: `shop/route-${route}/rule-${i}` }),
    match: { method: i === 2 ? null : 'GET', path, headers: null, queryParams: null, when: null },
  }))
}

function inOneHost(): ReadonlyMap<string, HostMatcher> {
  const entries = Array.from({ length: ROUTES }, (_, route) => entriesOf(route)).flat()
  return new Map([['api.example.com', new EntriesOfHost('shop', entries)]])
}

function inManyHosts(): ReadonlyMap<string, HostMatcher> {
  const hosts = new Map<string, HostMatcher>()
  const reached = new Reached<HostEntry>()
  for (let route = 0; route < ROUTES; route++) {
    const key = route % 2 === 0 ? `host-${route}.example.com` : `*.host-${route}.example.com`
    hosts.set(key, new EntriesOfHost('shop', entriesOf(route), reached))
  }
  return hosts
}

type HostOf = (route: number) => string
type Look = (exchange: Exchange) => void

/** Nanoseconds of CPU per request; the least of all rounds, because other programs disturb. */
function cost(requests: readonly Buffer[], look: Look): number {
  const { exchange } = fakeExchange()
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const from = process.cpuUsage()
    for (const bytes of requests) {
      const cut = bytes.indexOf(0x20)
      const host = bytes.toString('latin1', 0, cut)
      const path = bytes.toString('latin1', cut + 1)
      look(newExchange({ ...exchange, host, path, refusal: null }))
    }
    const { user, system } = process.cpuUsage(from)
    rounds.push(((user + system) * 1_000) / requests.length)
  }
  return Math.min(...rounds)
}

function measure(name: string, hosts: ReadonlyMap<string, HostMatcher>, hostOf: HostOf): void {
  const matcher = new TableMatcher(hosts)
  const requests = Array.from({ length: REQUESTS }, (_, i) => {
    const route = (i * 7_919) % ROUTES
    const below = ['status', 'orders/42', 'any/thing/below', 'orders/42/lines'][i % 4] ?? ''
    return Buffer.from(`${hostOf(route)} /team-${route % 100}/api-${route}/${below}`)
  })
  let found = 0
  const nothing = cost(requests, (exchange) => {
    found += exchange.path.length > 0 ? 1 : 0
  })
  const all = cost(requests, (exchange) => {
    found += matcher.match(exchange) === null ? 1 : 0
  })
  if (found !== 2 * REQUESTS * ROUNDS) throw new Error(`only ${found} were found`)
  process.stdout.write(`${name}: ${Math.round(all - nothing)} ns of CPU per look-up\n`)
}

const from = process.cpuUsage()
const one = inOneHost()
const ms = process.cpuUsage(from).user / 1_000
process.stdout.write(`building one host of ${ROUTES * 3} entries: ${Math.round(ms)} ms\n`)
measure('one host', one, () => 'api.example.com')
measure('many hosts', inManyHosts(), (route) =>
  route % 2 === 0 ? `host-${route}.example.com` : `a.b.host-${route}.example.com`,
)
