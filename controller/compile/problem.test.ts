/**
 * Places in a spec as users read them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldPath } from './problem.ts'

interface Spec {
  readonly rules: readonly { readonly match: { readonly [name: string]: string } }[]
}

test('a path names fields, quotes keys and numbers list items', () => {
  const at = new FieldPath<Spec>('spec').child('rules').index(2).child('match')
  assert.equal(at.key('plain_1').text, 'spec.rules[2].match.plain_1')
  assert.equal(at.key('x-y "z"').text, 'spec.rules[2].match["x-y \\"z\\""]')
})

test('a warning is no failure', () => {
  const at = new FieldPath<Spec>('spec')
  assert.deepEqual(at.problem('Invalid', 'No.'), {
    path: 'spec',
    reason: 'Invalid',
    sentence: 'No.',
    severity: 'failure',
  })
  assert.equal(at.warning('Invalid', 'Hm.').severity, 'warning')
})
