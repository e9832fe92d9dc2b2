/**
 * Proves siphash.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createHasher } from './siphash.ts'

const MASK = 0xffff_ffff_ffff_ffffn
const rotl = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK

/** The plain twin: the reference algorithm in 64-bit words. */
function plain(key: readonly number[], bytes: Buffer): string {
  const word = (i: number): bigint =>
    BigInt((key[i] ?? 0) >>> 0) | (BigInt((key[i + 1] ?? 0) >>> 0) << 32n)
  const v: [bigint, bigint, bigint, bigint] = [
    word(0) ^ 0x736f6d6570736575n,
    word(2) ^ 0x646f72616e646f6dn ^ 0xeen,
    word(0) ^ 0x6c7967656e657261n,
    word(2) ^ 0x7465646279746573n,
  ]
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      v[0] = (v[0] + v[1]) & MASK
      v[1] = rotl(v[1], 13n) ^ v[0]
      v[0] = rotl(v[0], 32n)
      v[2] = (v[2] + v[3]) & MASK
      v[3] = rotl(v[3], 16n) ^ v[2]
      v[0] = (v[0] + v[3]) & MASK
      v[3] = rotl(v[3], 21n) ^ v[0]
      v[2] = (v[2] + v[1]) & MASK
      v[1] = rotl(v[1], 17n) ^ v[2]
      v[2] = rotl(v[2], 32n)
    }
  }
  const padded = Buffer.alloc(Math.floor(bytes.length / 8) * 8 + 8)
  bytes.copy(padded)
  padded[padded.length - 1] = bytes.length & 0xff
  for (let i = 0; i < padded.length; i += 8) {
    const block = padded.readBigUInt64LE(i)
    v[3] ^= block
    rounds(2)
    v[0] ^= block
  }
  const out = Buffer.alloc(16)
  v[2] ^= 0xeen
  rounds(4)
  out.writeBigUInt64LE(v[0] ^ v[1] ^ v[2] ^ v[3], 0)
  v[1] ^= 0xddn
  rounds(4)
  out.writeBigUInt64LE(v[0] ^ v[1] ^ v[2] ^ v[3], 8)
  return out.toString('hex')
}

function hashed(key: readonly number[], text: string): string {
  const words = new Int32Array(4)
  createHasher().hash(Int32Array.from(key), text, words)
  return Buffer.from(words.buffer).toString('hex')
}

test('it agrees with the plain 64-bit twin', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), fc.string({ unit: 'binary' }), (key, text) => {
      assert.equal(hashed(key, text), plain(key, Buffer.from(text, 'utf16le')))
    }),
  )
})

const KEY = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]
/** By `openssl mac … SIPHASH` over the bytes 00 01 02 …, with the key 00 … 0f. */
const VECTORS: readonly (readonly [number, string])[] = [
  [0, 'a3817f04ba25a8e66df67214c7550293'],
  [2, '8177228da4a45dc7fca38bdef60affe4'],
  [8, '3b62a9ba6258f5610f83e264f31497b4'],
  [14, '31fcefac66d7de9c7ec7485fe4494902'],
  [62, '5853542321f567a005d547a4f04759bd'],
]

test('it gives what OpenSSL gives', () => {
  for (const [length, expected] of VECTORS) {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => i))
    assert.equal(hashed(KEY, bytes.toString('utf16le')), expected)
    assert.equal(plain(KEY, bytes), expected)
  }
})

test('one hasher may be used again and again', () => {
  const hasher = createHasher()
  const words = new Int32Array(4)
  hasher.hash(Int32Array.from(KEY), 'first', words)
  hasher.hash(Int32Array.from(KEY), '', words)
  assert.equal(Buffer.from(words.buffer).toString('hex'), VECTORS[0]?.[1])
})
