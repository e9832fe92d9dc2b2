/**
 * Addresses to listen on, as commands use them, and what becomes of one that cannot be used.
 * Proved by test/dev.test.ts: "what the user cannot have is one line and exit code 2".
 */
import { type Address, addressOf, UsageFailure, type Values } from './values.ts'

export function address(values: Values, name: string): Address {
  const found = addressOf(values.get(name) ?? '')
  if (found === null) throw new UsageFailure(`--${name} is required: HOST:PORT`)
  return found
}

const UNUSABLE: ReadonlySet<unknown> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES'])

/** The port is taken, or the address is not this machine's: the user's call has to change. */
export function isUnusable(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && UNUSABLE.has(error.code)
}
