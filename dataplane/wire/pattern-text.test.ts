/**
 * The estimate of a pattern's size, beside the size itself.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RE2JS } from '@bufbuild/re2'
import fc from 'fast-check'
import { countedInstructions } from './pattern-text.ts'

test('no pattern compiles to less than its counts say', () => {
  const piece = fc.constantFrom(
    'a',
    'b{3}',
    '(?:ab){2,5}',
    '[{9}]',
    String.raw`\{7}`,
    'c{2,}',
    'd?',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const pattern = pieces.join('')
      const size = RE2JS.compile(pattern).re2().prog.numInst()
      assert.ok(size >= countedInstructions(pattern), pattern)
    }),
  )
})

test('counts are added up, and what only looks like one is not', () => {
  assert.equal(countedInstructions('a{900}'), 900)
  assert.equal(countedInstructions('a{2,5}b{3,}c{0,1}'), 9)
  assert.equal(countedInstructions(String.raw`\{900}[{900}][]{900}]`), 0)
  assert.equal(countedInstructions('x{1000}'.repeat(36)), 36_000)
})
