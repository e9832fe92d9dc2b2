/**
 * IP addresses and CIDR ranges as both sides read them: the controller refuses a range that it
 * cannot read, the data plane asks whether an address lies in one. An IPv4 address that is written
 * inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address.
 * Pinned by address.test.ts: "an address lies in a range as node's BlockList says".
 */

/** 32 bits for IPv4, four times 32 for IPv6, most significant first. */
export type Address =
  | { readonly kind: 'v4'; readonly bits: number }
  | { readonly kind: 'v6'; readonly words: readonly number[] }

export interface Cidr {
  readonly address: Address
  /** Bits that must agree: 0 to 32 or 128. */
  readonly prefix: number
}

/** Null where the text is no address. A zone (`fe80::1%eth0`) is dropped. */
export function parseAddress(text: string): Address | null {
  if (!text.includes(':')) {
    const bits = parseV4(text)
    return bits === null ? null : { kind: 'v4', bits }
  }
  const zone = text.indexOf('%')
  const words = parseV6(zone === -1 ? text : text.slice(0, zone))
  if (words === null) return null
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) {
    return { kind: 'v4', bits: words[3] ?? 0 }
  }
  return { kind: 'v6', words }
}

/** `10.0.0.0/8`, `2001:db8::/32`; without a slash the one address. Null where it is neither. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf('/')
  const start = slash === -1 ? text : text.slice(0, slash)
  const address = start.includes('%') ? null : parseAddress(start)
  if (address === null) return null
  const bits = address.kind === 'v4' ? 32 : 128
  if (slash === -1) return { address, prefix: bits }
  // a mapped range is written with the prefix of IPv6
  const mapped = address.kind === 'v4' && start.includes(':')
  const prefix = parsePrefix(text.slice(slash + 1)) - (mapped ? 96 : 0)
  return prefix >= 0 && prefix <= bits ? { address, prefix } : null
}

function parsePrefix(digits: string): number {
  return /^(?:0|[1-9]\d{0,2})$/.test(digits) ? Number(digits) : -1
}

export function inRange(address: Address, range: Cidr): boolean {
  const { address: start, prefix } = range
  if (address.kind === 'v4') return start.kind === 'v4' && agree(address.bits, start.bits, prefix)
  if (start.kind === 'v4') return false
  for (let i = 0; i < 4; i++) {
    const bits = Math.min(32, prefix - i * 32)
    if (bits <= 0) return true
    if (!agree(address.words[i] ?? 0, start.words[i] ?? 0, bits)) return false
  }
  return true
}

function agree(one: number, other: number, bits: number): boolean {
  return bits <= 0 || (one ^ other) >>> (32 - bits) === 0
}

function parseV4(text: string): number | null {
  let bits = 0
  let from = 0
  for (let i = 0; i < 4; i++) {
    const dot = i === 3 ? text.length : text.indexOf('.', from)
    const part = parsePart(text, from, dot)
    if (part > 255) return null
    bits = bits * 256 + part
    from = dot + 1
  }
  return bits
}

/** A number above 255 where it is none: leading zeros too, which some parsers read as octal. */
function parsePart(text: string, from: number, to: number): number {
  const length = to - from
  if (length < 1 || length > 3) return 256
  if (length > 1 && text.charCodeAt(from) === 0x30) return 256
  let part = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return 256
    part = part * 10 + digit
  }
  return part
}

function parseV6(text: string): readonly number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = groups(halves[0] ?? '')
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : []
  if (head === null || tail === null) return null
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  const all = [...head, ...Array.from({ length: missing }, () => 0), ...tail]
  return [0, 2, 4, 6].map((i) => ((all[i] ?? 0) * 65_536 + (all[i + 1] ?? 0)) >>> 0)
}

/** Groups of 16 bits; the last may be an IPv4 address, which stands for two. */
function groups(text: string): number[] | null {
  if (text === '') return []
  const found: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const bits = i === parts.length - 1 ? parseV4(part) : null
      if (bits === null) return null
      found.push(Math.floor(bits / 65_536), bits % 65_536)
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) {
      found.push(Number.parseInt(part, 16))
    } else {
      return null
    }
  }
  return found
}
