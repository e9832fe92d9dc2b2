/**
 * Promises of encode.ts: what goes out is what the other end takes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SAMPLES } from '../../test/wire/samples.ts'
import { compiled } from '../../test/wire/world.ts'
import { decodeFrame } from '#wire/decode'
import { digestText } from '#wire/digest'
import { seal } from '../watch/secret.ts'
import { createEncoder, fingerprint, sha256 } from './encode.ts'

test('an encoded object decodes to itself, with a digest that fits', () => {
  const encoder = createEncoder()
  const objects = [...compiled(SAMPLES).objects.values()]
  for (const [i, object] of objects.entries()) {
    assert.equal(encoder.refusal(object), undefined)
    const decoded = decodeFrame(encoder.put(object).trimEnd())
    assert.ok(decoded.kind === 'decoded' && decoded.value.type === 'put')
    assert.deepEqual(decoded.value.object, SAMPLES[i])
    assert.equal(sha256(digestText(decoded.value.object)), object.digest)
  }
})

test('the fingerprint of a sealed secret is the digest of the revealed object', () => {
  for (const object of SAMPLES) {
    if (object.kind !== 'secret') continue
    const bytes = seal(Buffer.from(object.value.base64, 'base64'))
    assert.equal(fingerprint(bytes, object.key, object.sources), object.digest)
  }
})

test('an object is encoded once, however many streams it goes out on', () => {
  const encoder = createEncoder()
  const [gateway] = compiled(SAMPLES).objects.values()
  assert.ok(gateway !== undefined)
  assert.equal(encoder.put(gateway), encoder.put(gateway))
})

test('an object that the contract forbids is known before it is sent', () => {
  const limit = SAMPLES.find(({ kind }) => kind === 'limit')
  assert.ok(limit?.kind === 'limit')
  const broken = {
    ...limit,
    value: { ...limit.value, measure: { kind: 'concurrency', max: 0 } as const },
  }
  assert.match(
    createEncoder().refusal(broken) ?? '',
    /limit "shop\/limits\/a".*measure\.max must be/,
  )
})
