/**
 * Sizes on the wire, against the frames themselves.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { digestText } from '#wire/digest'
import { base64Bytes, putBytes } from '#wire/size'
import { SAMPLES, tableObject } from '../../test/wire/samples.ts'
import { createEncoder } from '../../controller/push/encode.ts'

test('the size of an object is the length of its frame', () => {
  const strange = tableObject('backend', 'ä/"\u{1f600}\n', {
    protocol: 'http',
    clusterAddress: null,
  })
  for (const object of [...SAMPLES, strange]) {
    const { kind, key, sources, value, digest } = object
    const frame = JSON.stringify({ type: 'put', object: { kind, key, sources, value, digest } })
    assert.equal(putBytes(digestText(object)), Buffer.byteLength(frame), `${kind} ${key}`)
    if (object.kind === 'secret') continue
    assert.equal(Buffer.byteLength(createEncoder().put(object)), Buffer.byteLength(frame) + 1)
  }
})

test('base64 is as long as it is said to be', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.equal(base64Bytes(bytes.length), Buffer.from(bytes).toString('base64').length)
    }),
  )
})
