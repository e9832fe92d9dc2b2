/**
 * Addresses to listen on, as commands use them, and what becomes of one that cannot be used.
 * Proved by test/dev.test.ts: "what the user cannot have is one line and exit code 2".
 */
import { createSecureContext } from 'node:tls'
import { type Address, addressOf, UsageFailure, type Values } from './values.ts'

export function address(values: Values, name: string): Address {
  const found = addressOf(values.get(name) ?? '')
  if (found === null) throw new UsageFailure(`--${name} is required: HOST:PORT`)
  return found
}

interface Https extends Address {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers: string | null
}

/** Null: TLS is spoken nowhere. */
export function https(values: Values): Https | null {
  if (!values.has('https')) return null
  const ciphers = values.get('tls-ciphers') ?? null
  const minVersion = values.get('tls-min') === '1.3' ? 'TLSv1.3' : 'TLSv1.2'
  try {
    if (ciphers !== null) createSecureContext({ ciphers })
  } catch {
    throw new UsageFailure(`--tls-ciphers ${ciphers}: OpenSSL knows none of them`)
  }
  return { ...address(values, 'https'), minVersion, ciphers }
}

const UNUSABLE: ReadonlySet<unknown> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES'])

/** The port is taken, or the address is not this machine's: the user's call has to change. */
export function isUnusable(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && UNUSABLE.has(error.code)
}
