/**
 * The certificates and hosts of TLS, made ready from the table's objects: only what changed is
 * looked at again, and what did not keeps its identity, so that its contexts live on. A certificate
 * that cannot be used is reported, and hosts that have no other refuse TLS.
 * Pinned by built-tls.test.ts: "a certificate that changes is a new one for its hosts alone".
 */
import { createPrivateKey } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Certificate, HostTls, SecretValue } from '#wire/table'
import type { ChangedObject, TableObjects } from './objects.ts'
import type { Refusal } from './readings.ts'
import { Staged } from './staged.ts'
import { type ReadyCertificate, type TlsHost, type TlsHosts, tlsHosts } from './tls-hosts.ts'

type Judged = ReadyCertificate | Refusal

export class BuiltTls {
  readonly #objects: TableObjects
  readonly #certificates = new Staged<Judged>()
  readonly #hosts = new Staged<TlsHost>()
  #running: TlsHosts | null = null
  #built: TlsHosts | null = null

  constructor(objects: TableObjects) {
    this.#objects = objects
  }

  build(changed: readonly ChangedObject[]): TlsHosts | null {
    this.#certificates.reset()
    this.#hosts.reset()
    this.#built = this.#running
    const touched = changed.filter(({ kind }) => TOUCHING.has(kind))
    if (touched.length === 0) return this.#built
    this.#buildCertificates(touched)
    this.#buildHosts(touched)
    if (this.#hosts.changes.size > 0) this.#built = tlsHosts(this.#hosts.merged())
    return this.#built
  }

  /** With the changes. */
  refusals(): readonly Refusal[] {
    return [...this.#certificates.merged().values()].filter((one) => 'reason' in one)
  }

  commit(): void {
    this.#certificates.commit()
    this.#hosts.commit()
    this.#running = this.#built
  }

  #buildCertificates(changed: readonly ChangedObject[]): void {
    const secrets = new Set(changed.flatMap(({ kind, key }) => (kind === 'secret' ? [key] : [])))
    const keys = new Set(changed.flatMap(({ kind, key }) => (kind === 'certificate' ? [key] : [])))
    if (secrets.size > 0) {
      for (const key of this.#certificates.runningKeys()) {
        const value = this.#objects.get('certificate', key)
        if (value !== null && secrets.has(value.privateKey)) keys.add(key)
      }
    }
    for (const key of keys) {
      const value = this.#objects.get('certificate', key)
      this.#certificates.stage(key, value === null ? null : this.#judge(key, value))
    }
  }

  #judge(key: string, { chain, names, privateKey }: Certificate): Judged {
    const secret = this.#objects.get('secret', privateKey)
    if (secret === null) return { kind: 'certificate', key, reason: 'its private key is missing' }
    const keyKind = keyKindOf(chain, secret)
    if (keyKind === null) return { kind: 'certificate', key, reason: NO_PAIR }
    return { key, chain, names, keyKind, privateKey: secret }
  }

  #buildHosts(changed: readonly ChangedObject[]): void {
    const keys = new Set(changed.flatMap(({ kind, key }) => (kind === 'tls' ? [key] : [])))
    for (const [key, host] of this.#hosts.merged()) {
      if (host.set.split(' ').some((name) => this.#certificates.changes.has(name))) keys.add(key)
    }
    for (const key of keys) {
      const value = this.#objects.get('tls', key)
      this.#hosts.stage(key, value === null ? null : this.#hostOf(value))
    }
  }

  #hostOf({ certificates, http }: HostTls): TlsHost {
    const ready = certificates.flatMap((key) => {
      const one = this.#certificates.get(key)
      return one === null || 'reason' in one ? [] : [one]
    })
    return { set: certificates.toSorted().join(' '), http, certificates: ready }
  }
}

const TOUCHING: ReadonlySet<string> = new Set(['secret', 'certificate', 'tls'])

const NO_PAIR = 'its certificate and private key are not PEM, or do not belong together'

/** Null: it cannot be shown. The library's own words could quote what they are about. */
function keyKindOf(chain: string, secret: SecretValue): string | null {
  try {
    const key = Buffer.from(secret.base64, 'base64')
    createSecureContext({ cert: chain, key })
    return createPrivateKey(key).asymmetricKeyType ?? null
  } catch {
    return null
  }
}
