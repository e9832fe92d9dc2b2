/**
 * From host and path to the rule that takes a request: the first step of its walk. The most specific
 * host is asked first, then wider ones of the same namespace, so that no namespace ever answers for
 * what another one owns.
 * Pinned by matcher.test.ts: "the matcher and its plain twin agree on random tables and requests".
 */
import type { Exchange } from '../request/exchange.ts'
import { type Failure, fail } from '../request/failure.ts'
import type { HostAnswer, HostMatcher } from './host-matcher.ts'
import type { Matcher } from './runtime.ts'

/** `hosts`: by key of the table: `shop.example.com`, `*.example.com`, or `*`. */
export class TableMatcher implements Matcher {
  readonly #exact = new Map<string, HostMatcher>()
  /** By what follows the star: `.example.com`. */
  readonly #wildcards = new Map<string, HostMatcher>()
  readonly #any: HostMatcher | undefined

  constructor(hosts: ReadonlyMap<string, HostMatcher>) {
    for (const [key, host] of hosts) {
      if (key.startsWith('*.')) this.#wildcards.set(key.slice(1), host)
      else if (key !== '*') this.#exact.set(key, host)
    }
    this.#any = hosts.get('*')
  }

  match(exchange: Exchange): Failure | null {
    const exact = this.#exact.get(exchange.host)
    if (exact === undefined) return this.#matchWider([], exchange)
    const answer = exact.match(exchange)
    if (answer.kind === 'none') return this.#matchWider([exact], exchange)
    return answer.kind === 'fail' ? answer : null
  }

  /** Wildcards cover one label or more: the longest suffix is the most specific one. */
  #matchWider(tried: HostMatcher[], exchange: Exchange): Failure | null {
    const name = exchange.host
    let dot = this.#wildcards.size === 0 ? -1 : name.indexOf('.', 1)
    for (; dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const answer = ask(this.#wildcards.get(name.slice(dot)), tried, exchange)
      if (answer.kind !== 'none') return answer.kind === 'fail' ? answer : null
    }
    const answer = ask(this.#any, tried, exchange)
    if (answer.kind === 'none') return missed(tried, exchange)
    return answer.kind === 'fail' ? answer : null
  }
}

const NONE: HostAnswer = { kind: 'none' }

/** Hosts of another namespace than the most specific one are not asked. */
function ask(host: HostMatcher | undefined, tried: HostMatcher[], exchange: Exchange): HostAnswer {
  if (host === undefined || (tried[0] ?? host).namespace !== host.namespace) return NONE
  tried.push(host)
  return host.match(exchange)
}

function missed(hosts: readonly HostMatcher[], exchange: Exchange): Failure {
  const methods = new Set(hosts.flatMap((host) => host.methods(exchange)))
  if (methods.size === 0) return fail('no-route', 'No route has this host and path.')
  const allow = [...methods].join(', ')
  return fail('method-not-allowed', `This path takes ${allow}.`, ['allow', allow])
}
