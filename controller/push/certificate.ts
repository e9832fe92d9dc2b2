/**
 * The wire's own certificates: an authority that data planes pin, and the server's certificate under
 * it. The caller keeps them as text (a file of mode 0600, a Secret) and asks `renew` now and then.
 * Pinned by certificate.test.ts: "a renewal never leaves a data plane without an authority it trusts".
 */
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it to be there first
import 'reflect-metadata'
import { createPrivateKey, randomBytes } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { isIP } from 'node:net'

export interface PemPair {
  readonly cert: string
  readonly key: string
}

export interface Certificates {
  /**
   * Oldest first. While there are two, data planes are given both, and the older signs until the
   * newer has had time to reach them all.
   */
  readonly authorities: readonly PemPair[]
  readonly server: PemPair
}

const DAY_MS = 24 * 3_600_000
/** Clocks of nodes differ. */
const BACKDATED_MS = 10 * 60_000
export const AUTHORITY_LIFE_MS = 3 * 365 * DAY_MS
export const SERVER_LIFE_MS = 90 * DAY_MS
/** A new authority is known everywhere before anything is signed by it. */
export const SPREAD_MS = 14 * DAY_MS
/** What is left of a life when it is renewed. */
const REST = 1 / 3

const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const

/** `names`: host names and addresses under which data planes connect. */
export async function createCertificates(
  names: readonly string[],
  nowMs: number,
): Promise<Certificates> {
  const authority = await createAuthority(nowMs)
  return { authorities: [authority], server: await createServer(authority, names, nowMs) }
}

/** What data planes trust: all authorities, as one PEM text. */
export function trustOf({ authorities }: Certificates): string {
  return authorities.map(({ cert }) => cert).join('\n')
}

/** The same object where nothing is due. */
export async function renew(
  certificates: Certificates,
  names: readonly string[],
  nowMs: number,
): Promise<Certificates> {
  const authorities = await renewAuthorities(certificates.authorities, nowMs)
  const signer = authorities.findLast((one) => ageOf(one, nowMs) >= SPREAD_MS) ?? authorities[0]
  if (signer === undefined) return createCertificates(names, nowMs)
  const kept =
    isFresh(certificates.server, nowMs) && isFor(certificates.server, names, signer)
      ? certificates.server
      : await createServer(signer, names, nowMs)
  const same = authorities === certificates.authorities && kept === certificates.server
  return same ? certificates : { authorities, server: kept }
}

async function renewAuthorities(
  authorities: readonly PemPair[],
  nowMs: number,
): Promise<readonly PemPair[]> {
  const newest = authorities.at(-1)
  if (newest === undefined || !isFresh(newest, nowMs)) {
    return [...authorities.filter((one) => isValid(one, nowMs)), await createAuthority(nowMs)]
  }
  // The older one goes when the newer has signed for as long as it took to spread.
  const older = authorities.length > 1 && ageOf(newest, nowMs) >= 2 * SPREAD_MS
  return older ? [newest] : authorities
}

function isValid({ cert }: PemPair, nowMs: number): boolean {
  return new X509Certificate(cert).notAfter.getTime() > nowMs
}

function isFresh({ cert }: PemPair, nowMs: number): boolean {
  const { notBefore, notAfter } = new X509Certificate(cert)
  const life = notAfter.getTime() - notBefore.getTime()
  return notAfter.getTime() - nowMs > life * REST
}

function ageOf({ cert }: PemPair, nowMs: number): number {
  return nowMs - new X509Certificate(cert).notBefore.getTime() - BACKDATED_MS
}

function isFor({ cert }: PemPair, names: readonly string[], signer: PemPair): boolean {
  const certificate = new X509Certificate(cert)
  const held = certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON() ?? []
  const known = new Set(held.map(({ value }) => value))
  const by = certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId
  const own = new X509Certificate(signer.cert).getExtension(SubjectKeyIdentifierExtension)?.keyId
  return by === own && known.size === names.length && names.every((name) => known.has(name))
}

async function createAuthority(nowMs: number): Promise<PemPair> {
  const keys = await crypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const cert = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=Fairlead wire',
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_LIFE_MS),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: cert.toString('pem'), key: await pemOf(keys.privateKey) }
}

async function createServer(
  authority: PemPair,
  names: readonly string[],
  nowMs: number,
): Promise<PemPair> {
  const keys = await crypto.subtle.generateKey(EC, true, ['sign', 'verify'])
  const issuer = new X509Certificate(authority.cert)
  const signingKey = createPrivateKey(authority.key).toCryptoKey(EC, false, ['sign'])
  const issuerKeyId = issuer.getExtension(SubjectKeyIdentifierExtension)?.keyId ?? ''
  const cert = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=fairlead-controller',
    issuer: issuer.subject,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + SERVER_LIFE_MS),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({
          type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
          value,
        })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      new AuthorityKeyIdentifierExtension(issuerKeyId),
    ],
  })
  return { cert: cert.toString('pem'), key: await pemOf(keys.privateKey) }
}

async function pemOf(key: CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

/** Positive and unique, as RFC 5280 section 4.1.2.2 wants it. */
function serial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
