/**
 * What tells its listener within the call that settles it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Later } from './later.ts'
import { after } from './walk.ts'

test('a listener hears at once, whether it came before or after', () => {
  const heard: string[] = []
  const [early, late] = [new Later<string>(), new Later<string>()]
  early.tell((value) => heard.push(value))
  early.settle('early')
  late.settle('late')
  late.tell((value) => heard.push(value))
  assert.deepEqual(heard, ['early', 'late'])
})

test('what is settled is settled once', () => {
  const heard: number[] = []
  const later = new Later<number>()
  later.tell((value) => heard.push(value))
  later.settle(1)
  later.settle(2)
  later.tell((value) => heard.push(value))
  assert.deepEqual(heard, [1, 1])
})

test('it can be awaited', async () => {
  const later = new Later<number>()
  setImmediate(() => later.settle(1))
  assert.equal(await later, 1)
  assert.equal(await later, 1)
})

test('steps follow each other within the call that settles the first', async () => {
  const heard: string[] = []
  const [first, second] = [new Later<string>(), new Later<string>()]
  const both = after(first, (one) => after(second, (two) => heard.push(one, two)))
  first.settle('first')
  assert.deepEqual(heard, [])
  second.settle('second')
  assert.deepEqual(heard, ['first', 'second'])
  assert.equal(await both, 2)
})

test('a step that gives a promise is waited for', async () => {
  const first = new Later<number>()
  const next = after(first, (one) => Promise.resolve(one + 1))
  first.settle(1)
  assert.equal(await next, 2)
})
