/**
 * Proves key-format.ts.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { KEY_CHARS, KEY_SECRET_BYTES, keyChecksum, keyOf, keyShape } from './key-format.ts'

const BASE64URL = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
const secrets = fc.string({ unit: fc.constantFrom(...BASE64URL), minLength: 43, maxLength: 43 })

/** The plain twin: zlib's CRC, and digits by BigInt. */
function plainChecksum(secret: string): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let rest = BigInt(crc32(secret))
  const digits: string[] = []
  while (rest > 0n) {
    digits.unshift(alphabet[Number(rest % 62n)] ?? '')
    rest /= 62n
  }
  return digits.join('').padStart(6, '0')
}

test('the checksum is the CRC-32 of the secret in base62', () => {
  fc.assert(
    fc.property(secrets, (secret) => {
      assert.equal(keyChecksum(secret), plainChecksum(secret))
    }),
  )
})

test('one changed character is noticed', () => {
  fc.assert(
    fc.property(
      secrets,
      fc.nat(KEY_CHARS - 1),
      fc.constantFrom(...BASE64URL),
      (secret, at, put) => {
        const key = keyOf(secret)
        const changed = key.slice(0, at) + put + key.slice(at + 1)
        assert.equal(keyShape(changed) === 'key', changed === key)
      },
    ),
  )
})

test('two characters that changed places are noticed', () => {
  fc.assert(
    fc.property(secrets, fc.integer({ min: 0, max: 41 }), (secret, at) => {
      const swapped = secret.slice(0, at) + secret[at + 1] + secret[at] + secret.slice(at + 2)
      const changed = keyOf(secret).replace(secret, swapped)
      assert.equal(keyShape(changed) === 'key', swapped === secret)
    }),
  )
})

test('32 random bytes make a key', () => {
  const key = keyOf(randomBytes(KEY_SECRET_BYTES).toString('base64url'))
  assert.equal(key.length, KEY_CHARS)
  assert.match(key, /^fl_/)
  assert.equal(keyShape(key), 'key')
})

test('what is not written as one of ours is foreign, and what is cut off is damaged', () => {
  const key = keyOf('A'.repeat(43))
  assert.equal(keyShape('sk_live_123'), 'foreign')
  assert.equal(keyShape(''), 'foreign')
  assert.equal(keyShape(key.slice(0, -1)), 'damaged')
  assert.equal(keyShape(`${key}x`), 'damaged')
  assert.equal(keyShape(`${key}\n`), 'damaged')
  assert.equal(keyShape(key.toUpperCase()), 'foreign')
})
