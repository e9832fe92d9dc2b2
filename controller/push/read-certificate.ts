/**
 * Looks at what a Secret of type kubernetes.io/tls holds: whether clients could be shown it, and for
 * which names. Says nothing of the key but that it does not fit.
 * Pinned by read-certificate.test.ts: "what no client could be shown is refused with its reason".
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { CERTIFICATE_CHAIN_BYTES_MAX, CERTIFICATE_NAMES_MAX } from '#wire/limits'
import type { ReadCertificate } from '../compile/compiled.ts'

export function readCertificate(chain: string, key: Buffer, nowMs: number): ReadCertificate {
  if (Buffer.byteLength(chain) > CERTIFICATE_CHAIN_BYTES_MAX) {
    return refused(`tls.crt is longer than ${CERTIFICATE_CHAIN_BYTES_MAX} bytes; leave roots out.`)
  }
  const leaf = attempt(() => new X509Certificate(chain))
  if (leaf === null) return refused('tls.crt is no certificate in PEM; put the chain there.')
  const privateKey = attempt((): KeyObject => createPrivateKey(key))
  if (privateKey === null) {
    return refused('tls.key is no private key in PEM without a passphrase; put it there.')
  }
  if (!leaf.checkPrivateKey(privateKey)) {
    return refused(
      'tls.key does not belong to the first certificate of tls.crt; put the pair there.',
    )
  }
  if (leaf.validToDate.getTime() <= nowMs) {
    return refused(`The certificate expired on ${leaf.validToDate.toISOString()}; renew it.`)
  }
  return { kind: 'read', chain, names: namesOf(leaf.subjectAltName ?? '') }
}

function refused(because: string): ReadCertificate {
  return { kind: 'refused', because }
}

/** The library's own words could quote what they are about. */
function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function namesOf(alternatives: string): readonly string[] {
  return alternatives
    .split(', ')
    .flatMap((one) => (one.startsWith('DNS:') ? [one.slice(4).toLowerCase()] : []))
    .slice(0, CERTIFICATE_NAMES_MAX)
}
