/**
 * From a host name to its addresses, as the system would: /etc/hosts, then DNS with the search list
 * of /etc/resolv.conf. By c-ares: the system's own look-up would hold a thread of the pool for as
 * long as a name server is silent.
 * Pinned by egress-names.test.ts: "a short name is tried with the search list as the system does".
 */
import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

/** Nothing found is an empty list. */
export type Resolve = (host: string) => Promise<readonly string[]>

const QUERY_TIMEOUT_MS = 2_000
const QUERY_TRIES = 2
const NAMES_MAX = 8

export interface SystemFiles {
  readonly hosts: string
  readonly resolvConf: string
}

export function createResolve(
  read: () => Promise<SystemFiles> = systemFiles,
  query: Resolve = dnsQuery,
): Resolve {
  return async (host) => {
    if (isIP(host) !== 0) return [host]
    // RFC 6761, 6.3: never asked of anybody
    if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '::1']
    const files = await read()
    const known = fromHosts(files.hosts, host)
    if (known.length > 0) return known
    for (const name of candidates(host, files.resolvConf)) {
      const found = await query(name)
      if (found.length > 0) return found
    }
    return []
  }
}

/** Names to ask for, in order: one with few dots is tried below the search domains first. */
export function candidates(host: string, resolvConf: string): readonly string[] {
  if (host.endsWith('.')) return [host]
  const lines = resolvConf.split('\n').map((line) => line.trim().split(/\s+/))
  const domains = lines.findLast(([word]) => word === 'search')?.slice(1) ?? []
  const options = lines.flatMap(([word, ...rest]) => (word === 'options' ? rest : []))
  const dotsWanted = Number(options.findLast((one) => one.startsWith('ndots:'))?.slice(6) ?? 1)
  const below = domains.slice(0, NAMES_MAX).map((domain) => `${host}.${domain}`)
  const dots = host.split('.').length - 1
  return dots >= dotsWanted ? [host, ...below] : [...below, host]
}

function fromHosts(hosts: string, host: string): readonly string[] {
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    return names.includes(host) && isIP(address) !== 0 ? [address] : []
  })
}

async function dnsQuery(name: string): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES })
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}

async function systemFiles(): Promise<SystemFiles> {
  const [hosts, resolvConf] = await Promise.all([text('/etc/hosts'), text('/etc/resolv.conf')])
  return { hosts, resolvConf }
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return ''
  }
}
