/**
 * Suggestions at the end of sentences.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean } from './suggest.ts'

const WORDS = ['request', 'response', 'auth', 'consumer', 'startsWith', 'headers']

test('a suggestion ends a sentence, or there is none', () => {
  assert.equal(didYouMean('consumr', WORDS), '; did you mean consumer?')
  assert.equal(didYouMean('startswith', WORDS), '; did you mean startsWith?')
  assert.equal(didYouMean('zzz', WORDS), '')
  assert.equal(didYouMean('a'.repeat(1000), WORDS), '')
})
