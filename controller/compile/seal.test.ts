/**
 * Objects of a table and their digests.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestText, xorOf } from '#wire/digest'
import { DEPS } from '../../test/fake/world.ts'
import { createEncoder } from '../push/encode.ts'
import { seal as sealBytes } from '../watch/secret.ts'
import { createSealer, HashSum, keepEach, keepSealed } from './seal.ts'

const sealer = createSealer(DEPS)
const sources = [{ kind: 'ApiRoute', name: 'a/b', uid: 'u', generation: 1 }]
const deny = (detail: string) =>
  sealer.seal({
    kind: 'deny',
    key: 'a/b/defaults',
    sources,
    value: { unauthenticated: { detail }, forbidden: null },
  })

test("an object's digest is what the wire says it is", () => {
  const { object, id } = deny('No.')
  assert.equal(id, 'deny a/b/defaults')
  assert.ok(object.kind === 'deny')
  assert.equal(object.digest, DEPS.sha256(digestText(object)))
})

test('a secret stays sealed, under the digest that its revealed object has', () => {
  const { object } = sealer.sealSecret('a/s:k', sources, sealBytes(Buffer.from('hush')))
  assert.ok(object.kind === 'secret')
  assert.ok(!JSON.stringify(object).includes(Buffer.from('hush').toString('base64')))
  const value = { base64: Buffer.from('hush').toString('base64') }
  const revealed = digestText({ kind: 'secret', key: 'a/s:k', sources, value })
  assert.equal(object.digest, DEPS.sha256(revealed))
})

test('the size of an object is known with its digest, also where it stays sealed', () => {
  const encoder = createEncoder()
  const secrets = ['', 'a', 'hush!'].map((text) =>
    sealer.sealSecret('a/s:k', sources, sealBytes(Buffer.from(text))),
  )
  for (const { object, bytes } of [deny('Nö.'), ...secrets]) {
    assert.equal(bytes, encoder.bytes(object))
  }
})

test('an equal object keeps the identity of the earlier one', () => {
  const before = deny('No.')
  assert.equal(keepSealed(before, deny('No.')), before)
  const other = deny('Never.')
  assert.equal(keepSealed(before, other), other)
  const list = [before]
  assert.equal(keepEach(list, [deny('No.')]), list)
  assert.deepEqual(keepEach(list, [deny('No.'), other])[0], before)
})

test('a sum of words is the hash of the wire', () => {
  const sum = new HashSum()
  const all = [deny('a'), deny('b'), deny('c')]
  for (const { words } of all) sum.add(words)
  assert.equal(sum.hex(), xorOf(all.map(({ object }) => object.digest)))
})
