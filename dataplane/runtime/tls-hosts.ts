/**
 * Which certificates a host is shown with, and what it says to plain HTTP: the `tls` objects of the
 * table, found by name as hosts are. A host without a word of its own follows the wildcard over it.
 * Pinned by tls-hosts.test.ts: "the nearest statement over a name holds".
 */
import type { HostTls, SecretValue } from '#wire/table'

export interface ReadyCertificate {
  readonly key: string
  /** PEM. */
  readonly chain: string
  readonly names: readonly string[]
  /** `rsa`, `ec`, …: a client is shown one certificate of each. */
  readonly keyKind: string
  /** PEM in base64: opened where a context is made, and nowhere else. */
  readonly privateKey: SecretValue
}

export interface TlsHost {
  /** Names the certificates; a connection made for one set must not carry requests of another. */
  readonly set: string
  readonly http: HostTls['http']
  readonly certificates: readonly ReadyCertificate[]
}

export interface TlsHosts {
  /** Null: nothing is said about the host, or about any, where `host` is null. */
  of(host: string | null): TlsHost | null
}

export function tlsHosts(hosts: ReadonlyMap<string, TlsHost>): TlsHosts | null {
  if (hosts.size === 0) return null
  return {
    of(host) {
      if (host === null) return hosts.get('*') ?? null
      const exact = hosts.get(host)
      if (exact !== undefined) return exact
      for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const wider = hosts.get(`*${host.slice(dot)}`)
        if (wider !== undefined) return wider
      }
      return hosts.get('*') ?? null
    },
  }
}

/** Whether a certificate is for the name (RFC 6125: one label for the asterisk). */
export function covers(names: readonly string[], host: string): 'yes' | 'no' {
  const dot = host.indexOf('.')
  const wildcard = dot < 0 ? null : `*${host.slice(dot)}`
  return names.includes(host) || (wildcard !== null && names.includes(wildcard)) ? 'yes' : 'no'
}
