/**
 * The addresses that a data plane listens at: bound once before anything else starts, so that one
 * that cannot be used is a clear line and not half a data plane.
 * Pinned by main.test.ts: "an address in use is one clear line, and nothing is left behind".
 */
import { createServer, type AddressInfo } from 'node:net'
import type { AdminServer } from './admin.ts'

/** The message is one line for people; the process that asked for the address exits with 2. */
export class AddressUnusable extends Error {
  override readonly name = 'AddressUnusable'
}

/**
 * Without reusePort, so that somebody else's listener shows; with it, both would get half of the
 * connections. Closed again at once: the workers bind it, each for itself.
 */
export async function bindOnce(host: string, port: number): Promise<AddressInfo> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>()
  server.once('error', reject)
  server.listen({ host, port }, () => {
    const address = server.address()
    if (address === null || typeof address === 'string') reject(new Error('not a TCP address'))
    else resolve(address)
  })
  try {
    return await promise
  } catch (error) {
    throw unusable(host, port, error)
  } finally {
    await new Promise<void>((done) => server.close(() => done()))
  }
}

export async function usable(
  host: string,
  port: number,
  server: AdminServer,
): Promise<AddressInfo> {
  try {
    return await server.listen(host, port)
  } catch (error) {
    throw unusable(host, port, error)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process',
  EADDRNOTAVAIL: 'is not an address of this machine',
  EACCES: 'may not be used by this user',
  ENOTFOUND: 'has a host name without address',
}

function unusable(host: string, port: number, error: unknown): AddressUnusable {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new AddressUnusable(`${where} ${REASONS[code] ?? `cannot be used (${code})`}`)
}
