/**
 * What a worker does beside its exchanges.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from './beside.ts'

test('a gate lets in as many as it holds', () => {
  const gate = new Gate(2)
  assert.deepEqual([gate.enter(), gate.enter(), gate.enter()], ['entered', 'entered', 'full'])
  gate.leave()
  assert.equal(gate.enter(), 'entered')
  assert.equal(gate.inside, 2)
})
