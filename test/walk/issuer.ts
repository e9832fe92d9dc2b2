/**
 * An issuer of tokens on loopback: discovery and key set over HTTP, as a real one has them, and
 * tokens signed with the fixed test keys of keys.json, which protect nothing.
 */
import assert from 'node:assert/strict'
import { constants, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

/** What tokens.json of a case says of one token. */
export interface TokenSpec {
  /** Name of a key in keys.json. */
  readonly key: string
  readonly alg: string
  /** Members of the header besides alg and kid; a null takes one of these away. */
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

export interface Issuer {
  readonly url: string
  token(spec: TokenSpec): string
  close(): void
}

type Jwk = Readonly<Record<string, string>>

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi']

export async function startIssuer(): Promise<Issuer> {
  const keys = readKeys()
  const published = Object.entries(keys).filter(([kid]) => kid !== 'unpublished')
  const jwks = { keys: published.map(([kid, jwk]) => ({ kid, ...publicOf(jwk) })) }
  const server = createServer((request, response) => {
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': jwks,
    }
    const document = documents[request.url ?? '']
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(document ?? {}))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  assert(typeof address === 'object' && address !== null)
  const url = `http://127.0.0.1:${address.port}`
  return {
    url,
    token: (spec) => signed(spec, keys),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function readKeys(): Readonly<Record<string, Jwk>> {
  const file = join(import.meta.dirname, 'keys.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { keys: Record<string, Jwk> }).keys
}

function publicOf(jwk: Jwk): Jwk {
  return Object.fromEntries(
    Object.entries(jwk).filter(([member]) => !PRIVATE_MEMBERS.includes(member)),
  )
}

function signed(spec: TokenSpec, keys: Readonly<Record<string, Jwk>>): string {
  const all: Readonly<Record<string, unknown>> = { alg: spec.alg, kid: spec.key, ...spec.header }
  const header = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
  const text = `${encoded(header)}.${encoded(spec.claims)}`
  const key = keys[spec.key]
  assert(key !== undefined, `keys.json has no key "${spec.key}"`)
  return `${text}.${signature(spec.alg, Buffer.from(text), key).toString('base64url')}`
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signature(alg: string, data: Buffer, jwk: Jwk): Buffer {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const digest = `sha${alg.slice(2)}`
  switch (alg.slice(0, 2)) {
    case 'RS':
      return sign(digest, data, key)
    case 'PS':
      return sign(digest, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      })
    case 'ES':
      return sign(digest, data, { key, dsaEncoding: 'ieee-p1363' })
    case 'Ed':
      return sign(null, data, key)
    // The two that attackers write: the public key as a shared secret, and no signature at all.
    case 'HS':
      return createHmac(digest, createPublicKey(key).export({ type: 'spki', format: 'pem' }))
        .update(data)
        .digest()
    default:
      return Buffer.alloc(0)
  }
}
