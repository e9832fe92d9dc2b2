/**
 * From host and path to the rule that takes a request: the first step of its walk. The most specific
 * host is asked first, then wider ones of the same namespace, so that no namespace ever answers for
 * what another one owns.
 * Pinned by matcher.test.ts: "the matcher and its plain twin agree on random tables and requests".
 */
import type { Exchange } from '../request/exchange.ts'
import { type Failure, fail } from '../request/failure.ts'
import type { HostMatcher } from './host-matcher.ts'
import type { Matcher } from './runtime.ts'

/** `hosts`: by key of the table: `shop.example.com`, `*.example.com`, or `*`. */
export class TableMatcher implements Matcher {
  readonly #exact = new Map<string, HostMatcher>()
  /** By what follows the star: `.example.com`. */
  readonly #wildcards = new Map<string, HostMatcher>()
  readonly #any: HostMatcher | null

  constructor(hosts: ReadonlyMap<string, HostMatcher>) {
    for (const [key, host] of hosts) {
      if (key.startsWith('*.')) this.#wildcards.set(key.slice(1), host)
      else if (key !== '*') this.#exact.set(key, host)
    }
    this.#any = hosts.get('*') ?? null
  }

  match(exchange: Exchange): Failure | null {
    const exact = this.#exact.get(exchange.host)
    if (exact !== undefined) {
      const answer = exact.match(exchange)
      if (answer.kind === 'matched') return null
      if (answer.kind === 'fail') return answer
    }
    return this.#matchWider(exchange, exact ?? null)
  }

  #matchWider(exchange: Exchange, exact: HostMatcher | null): Failure | null {
    const hosts = exact === null ? [] : [exact]
    for (const host of this.#widerOf(exchange.host)) {
      if (host.namespace !== (hosts[0] ?? host).namespace) continue
      const answer = host.match(exchange)
      if (answer.kind === 'matched') return null
      if (answer.kind === 'fail') return answer
      hosts.push(host)
    }
    return missed(hosts, exchange)
  }

  /** Wildcards cover one label or more: the longest suffix is the most specific one. */
  #widerOf(name: string): readonly HostMatcher[] {
    const hosts: HostMatcher[] = []
    if (this.#wildcards.size > 0) {
      for (let dot = name.indexOf('.', 1); dot !== -1; dot = name.indexOf('.', dot + 1)) {
        const host = this.#wildcards.get(name.slice(dot))
        if (host !== undefined) hosts.push(host)
      }
    }
    if (this.#any !== null) hosts.push(this.#any)
    return hosts
  }
}

function missed(hosts: readonly HostMatcher[], exchange: Exchange): Failure {
  const methods = new Set(hosts.flatMap((host) => host.methods(exchange)))
  if (methods.size === 0) return fail('no-route', 'No route has this host and path.')
  const allow = [...methods].join(', ')
  return fail('method-not-allowed', `This path takes ${allow}.`, ['allow', allow])
}
