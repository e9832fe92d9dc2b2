/**
 * Suggestions: near words are named, far ones are not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, nearest } from './suggest.ts'

const WORDS = ['request', 'response', 'auth', 'consumer', 'startsWith', 'headers']

test('a slip of one letter is found, another word is not', () => {
  assert.equal(nearest('reqest', WORDS), 'request')
  assert.equal(nearest('Request', WORDS), 'request')
  assert.equal(nearest('startswith', WORDS), 'startsWith')
  assert.equal(nearest('haeders', WORDS), 'headers')
  assert.equal(nearest('auht', WORDS), 'auth')
  assert.equal(nearest('x', WORDS), null)
  assert.equal(nearest('banana', WORDS), null)
  assert.equal(nearest('a'.repeat(1000), WORDS), null)
})

test('a suggestion ends a sentence, or there is none', () => {
  assert.equal(didYouMean('consumr', WORDS), '; did you mean consumer?')
  assert.equal(didYouMean('zzz', WORDS), '')
})
