/**
 * SipHash-2-4 with 128 bits of output, over the UTF-16 code units of a text: names the buckets of
 * limits. Keyed with a secret of this process, so that no client can find two keys that share a
 * bucket, or fill one corner of the table. In 32-bit halves, because BigInt would cost ten times it.
 * Pinned by siphash.test.ts: "it agrees with the plain 64-bit twin".
 */

/** Four 32-bit words, least significant first. */
export type HashWords = Int32Array

export interface Hasher {
  /** Into `out`, which must hold four words. */
  hash(key: HashWords, text: string, out: HashWords): void
}

/** Keeps its state between calls, so one for each thread is enough. */
export function createHasher(): Hasher {
  const state = new Int32Array(8)
  return {
    hash(key, text, out): void {
      start(state, key)
      absorb(state, text)
      state[V2] = at(state, V2) ^ 0xee
      rounds(state, 4)
      squeeze(state, out, 0)
      state[V1] = at(state, V1) ^ 0xdd
      rounds(state, 4)
      squeeze(state, out, 2)
    },
  }
}

/** Low halves of v0 to v3; the high half stands behind each. */
const V0 = 0
const V1 = 2
const V2 = 4
const V3 = 6

function at(words: Int32Array, i: number): number {
  return words[i] ?? 0
}

/** "somepseudorandomlygeneratedbytes", and 0xee for the long output. */
function start(v: Int32Array, key: HashWords): void {
  v[0] = at(key, 0) ^ 0x70736575
  v[1] = at(key, 1) ^ 0x736f6d65
  v[2] = at(key, 2) ^ 0x6e646f6d ^ 0xee
  v[3] = at(key, 3) ^ 0x646f7261
  v[4] = at(key, 0) ^ 0x6e657261
  v[5] = at(key, 1) ^ 0x6c796765
  v[6] = at(key, 2) ^ 0x79746573
  v[7] = at(key, 3) ^ 0x74656462
}

/** Blocks of four code units; the last holds the length in bytes. */
function absorb(v: Int32Array, text: string): void {
  const whole = text.length & ~3
  for (let i = 0; i < whole; i += 4) block(v, pair(text, i), pair(text, i + 2))
  const low = pair(text, whole)
  const third = whole + 2 < text.length ? text.charCodeAt(whole + 2) : 0
  block(v, low, third | ((text.length * 2) << 24))
}

/** Two code units; those behind the end are zero. */
function pair(text: string, i: number): number {
  const first = i < text.length ? text.charCodeAt(i) : 0
  const second = i + 1 < text.length ? text.charCodeAt(i + 1) : 0
  return first | (second << 16)
}

function block(v: Int32Array, low: number, high: number): void {
  v[V3] = at(v, V3) ^ low
  v[V3 + 1] = at(v, V3 + 1) ^ high
  rounds(v, 2)
  v[V0] = at(v, V0) ^ low
  v[V0 + 1] = at(v, V0 + 1) ^ high
}

function rounds(v: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    halfRound(v, V0, V1, 13)
    halfRound(v, V2, V3, 16)
    swapHalves(v, V0)
    halfRound(v, V2, V1, 17)
    halfRound(v, V0, V3, 21)
    swapHalves(v, V2)
  }
}

/** a += b; b = rotl(b, bits) ^ a */
function halfRound(v: Int32Array, a: number, b: number, bits: number): void {
  const low = at(v, b)
  const high = at(v, b + 1)
  const sum = (at(v, a) + low) | 0
  const carry = sum >>> 0 < low >>> 0 ? 1 : 0
  const sumHigh = (at(v, a + 1) + high + carry) | 0
  v[a] = sum
  v[a + 1] = sumHigh
  v[b] = ((low << bits) | (high >>> (32 - bits))) ^ sum
  v[b + 1] = ((high << bits) | (low >>> (32 - bits))) ^ sumHigh
}

/** rotl(a, 32) */
function swapHalves(v: Int32Array, a: number): void {
  const low = at(v, a)
  v[a] = at(v, a + 1)
  v[a + 1] = low
}

/** v0 ^ v1 ^ v2 ^ v3 */
function squeeze(v: Int32Array, out: HashWords, i: number): void {
  out[i] = at(v, 0) ^ at(v, 2) ^ at(v, 4) ^ at(v, 6)
  out[i + 1] = at(v, 1) ^ at(v, 3) ^ at(v, 5) ^ at(v, 7)
}
