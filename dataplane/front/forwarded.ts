/**
 * Who the client is, and how it came, after the proxies that the operator trusts: the front asks
 * for each request whose peer is one of them. Everybody else is who the connection says.
 * Pinned by forwarded.test.ts: "an address that a client made up is never believed".
 */
import { parseAddress } from '#wire/address'
import { headerLines } from '../request/headers.ts'
import type { TrustedProxies } from '../runtime/runtime.ts'

export interface Client {
  readonly ip: string
  readonly scheme: 'http' | 'https'
}

/** Each trusted proxy appends one; longer rows are cut at the trusted end, which is what counts. */
const HOPS_MAX = 32

/** `headers`: flat list. The peer is trusted; `peer` and `scheme` are those of its connection. */
export function forwardedClient(
  headers: readonly string[],
  connection: Client,
  trusted: TrustedProxies,
): Client {
  const { addresses, scheme } = readForwarded(headers)
  return { ip: clientOf(addresses, connection.ip, trusted), scheme: scheme ?? connection.scheme }
}

interface Forwarded {
  /** In the order of the header: the nearest proxy wrote the last. */
  readonly addresses: readonly string[]
  readonly scheme: 'http' | 'https' | null
}

/** X-Forwarded-For where there is one, else Forwarded (RFC 7239): mixing them could be played. */
function readForwarded(headers: readonly string[]): Forwarded {
  const xFor = headerLines(headers, 'x-forwarded-for')
  const xProto = headerLines(headers, 'x-forwarded-proto')
  if (xFor.length > 0 || xProto.length > 0) {
    return { addresses: split(xFor), scheme: schemeOf(split(xProto).at(-1)) }
  }
  const elements = split(headerLines(headers, 'forwarded'))
  return {
    addresses: elements.map((element) => parameter(element, 'for') ?? ''),
    scheme: schemeOf(parameter(elements.at(-1) ?? '', 'proto') ?? undefined),
  }
}

function split(values: readonly string[]): string[] {
  if (values.length === 0) return []
  return values
    .join(',')
    .split(',')
    .slice(-HOPS_MAX)
    .map((part) => part.trim())
}

/** From the nearest hop backwards: the first address that no trusted proxy has. */
function clientOf(addresses: readonly string[], peer: string, trusted: TrustedProxies): string {
  let client = peer
  for (let i = addresses.length - 1; i >= 0; i--) {
    if (trusted.trust(client) === 'untrusted') return client
    const address = addressOf(addresses[i] ?? '')
    // Whatever stands further back was written by somebody who writes no addresses: stop here.
    if (address === null) return client
    client = address
  }
  return client
}

/** `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80` or `2001:db8::1`; null for anything else. */
function addressOf(text: string): string | null {
  const bare = withoutPort(text)
  return /^[0-9A-Fa-f:.]+$/.test(bare) && parseAddress(bare) !== null ? bare.toLowerCase() : null
}

function withoutPort(text: string): string {
  if (text.startsWith('[')) return text.slice(1, Math.max(text.indexOf(']'), 1))
  const colon = text.indexOf(':')
  return colon > 0 && colon === text.lastIndexOf(':') ? text.slice(0, colon) : text
}

function schemeOf(text: string | undefined): Forwarded['scheme'] {
  const lower = text?.toLowerCase()
  return lower === 'http' || lower === 'https' ? lower : null
}

/** Of one element of Forwarded: `for="[2001:db8::1]:4711";proto=http`. */
function parameter(element: string, name: string): string | null {
  for (const pair of element.split(';')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).trim().toLowerCase() !== name) continue
    const value = pair.slice(equals + 1).trim()
    return value.startsWith('"') && value.endsWith('"') && value.length > 1
      ? value.slice(1, -1)
      : value
  }
  return null
}

/** An IPv4 client of a dual-stack socket is the IPv4 client. */
export function peerAddress(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return ''
  return remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress
}
