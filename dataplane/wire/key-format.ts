/**
 * How an API key of ours is written: `fl_`, 43 base64url characters of secret, and six base62
 * characters of checksum (CRC-32 of the 43), so that a mistyped key is refused without a look-up
 * and a scanner can tell a leaked one from noise. `fairlead key create` makes them, the data plane
 * checks them.
 * Pinned by key-format.test.ts: "one changed character is noticed".
 */

export const KEY_PREFIX = 'fl_'
/** 32 random bytes in base64url. */
export const KEY_SECRET_CHARS = 43
/** 62^6 is more than 2^32. */
export const KEY_CHECKSUM_CHARS = 6
export const KEY_CHARS = KEY_PREFIX.length + KEY_SECRET_CHARS + KEY_CHECKSUM_CHARS
export const KEY_SECRET_BYTES = 32

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const SHAPE = /^fl_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** The key around 43 base64url characters (of 32 random bytes). */
export function keyOf(secret: string): string {
  return `${KEY_PREFIX}${secret}${keyChecksum(secret)}`
}

/** CRC-32 (ISO-HDLC) of the ASCII text in base62, most significant digit first, zero-padded. */
export function keyChecksum(secret: string): string {
  let rest = crc32(secret)
  let digits = ''
  for (let i = 0; i < KEY_CHECKSUM_CHARS; i++) {
    digits = `${BASE62[rest % 62] ?? ''}${digits}`
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** `foreign`: not written as one of ours. `damaged`: written so, but its checksum is wrong. */
export function keyShape(text: string): 'key' | 'damaged' | 'foreign' {
  if (!text.startsWith(KEY_PREFIX)) return 'foreign'
  if (text.length !== KEY_CHARS || !SHAPE.test(text)) return 'damaged'
  const end = KEY_PREFIX.length + KEY_SECRET_CHARS
  return keyChecksum(text.slice(KEY_PREFIX.length, end)) === text.slice(end) ? 'key' : 'damaged'
}

function crc32(text: string): number {
  let crc = 0xffffffff
  for (let i = 0; i < text.length; i++) {
    crc = (CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0) ^ (crc >>> 8)
  }
  return (crc ^ 0xffffffff) >>> 0
}
