/**
 * Certificates for tests of TLS, signed by themselves: their clients trust exactly one.
 */
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it to be there first
import 'reflect-metadata'
import {
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

export interface Pair {
  readonly cert: string
  readonly key: string
}

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
} as const

const DAY_MS = 24 * 3_600_000

export interface Life {
  readonly kind?: 'ec' | 'rsa'
  /** From now. */
  readonly days?: number
}

export async function certificateFor(
  names: readonly string[],
  { kind = 'ec', days = 30 }: Life = {},
): Promise<Pair> {
  const algorithm = kind === 'ec' ? EC : RSA
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${names[0] ?? 'nobody'}`,
    notBefore: new Date(Date.now() - 2 * DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value }))),
    ],
  })
  const bytes = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: cert.toString('pem'), key: PemConverter.encode(bytes, 'PRIVATE KEY') }
}
