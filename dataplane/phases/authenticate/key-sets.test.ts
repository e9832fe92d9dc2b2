/**
 * Proves key-sets.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySetId, type KeySource } from '../../sync/keys-message.ts'
import { newKey } from './fake/issuer.ts'
import { KeySets } from './key-sets.ts'

const one = await newKey('ES256', 'one')
const two = await newKey('EdDSA', 'two')
const SOURCE: KeySource = { kind: 'jwksUri', uri: 'https://id.example.com/keys' }
const ID = keySetId(SOURCE)

function world() {
  const clock = { nowMs: 0 }
  const asked: string[] = []
  let changes = 0
  const sets = new KeySets(
    (id) => void asked.push(id),
    () => void changes++,
    () => clock.nowMs,
  )
  return { sets, clock, asked, changes: () => changes }
}

test('a key that left its set verifies nothing from then on', () => {
  const { sets, changes } = world()
  const slot = sets.slot(SOURCE)
  const names = () => slot.keys?.map(({ kid }) => kid) ?? null
  assert.equal(names(), null)
  sets.apply({ type: 'keySets', sets: [{ id: ID, generation: 1, keys: [one.jwk, two.jwk] }] })
  assert.deepEqual(names(), ['one', 'two'])
  sets.apply({ type: 'keySets', sets: [{ id: ID, generation: 2, keys: [two.jwk] }] })
  assert.deepEqual(names(), ['two'])
  sets.apply({ type: 'keySets', sets: [{ id: ID, generation: 3, keys: null }] })
  assert.equal(names(), null)
  assert.equal(changes(), 3)
})

test('keys that came before the table that names them are there for it', () => {
  const { sets } = world()
  sets.apply({ type: 'keySets', sets: [{ id: ID, generation: 1, keys: [one.jwk] }] })
  assert.equal(sets.slot(SOURCE).keys?.length, 1)
  assert.equal(sets.slot(SOURCE), sets.slot({ ...SOURCE }))
})

test('main is asked at most once in a while, and at once after a change', () => {
  const { sets, clock, asked } = world()
  const slot = sets.slot(SOURCE)
  slot.ask()
  slot.ask()
  clock.nowMs = 29_999
  slot.ask()
  assert.deepEqual(asked, [ID])
  clock.nowMs = 30_000
  slot.ask()
  assert.equal(asked.length, 2)
  sets.apply({ type: 'keySets', sets: [{ id: ID, generation: 1, keys: [] }] })
  slot.ask()
  assert.equal(asked.length, 3)
})
