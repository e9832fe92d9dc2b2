/**
 * Proves when a library is loaded.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Library } from './library.ts'

test('what was missed is loaded once, and then it is there', async () => {
  let loads = 0
  const library = new Library(async () => ++loads)
  assert.equal(await library.loadMissed(), 'nothing')
  assert.equal(library.get(), null)
  assert.equal(await library.loadMissed(), 'loaded')
  assert.equal(library.get(), 1)
  assert.equal(await library.loadMissed(), 'nothing')
  assert.equal(loads, 1)
})

test('a library that cannot be loaded is tried again', async () => {
  let loads = 0
  const library = new Library(() => {
    loads++
    return loads === 1 ? Promise.reject(new Error('no such file')) : Promise.resolve(loads)
  })
  library.get()
  await assert.rejects(library.loadMissed(), /no such file/)
  assert.equal(await library.loadMissed(), 'loaded')
  assert.equal(library.get(), 2)
})
