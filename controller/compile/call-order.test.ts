/**
 * The order of calls, and cycles among them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { callOrder, type Dependencies } from './call-order.ts'

test('calls that wait for nothing come by name', () => {
  const calls = new Map([
    ['b', []],
    ['a', []],
    ['c', ['b']],
  ])
  assert.deepEqual(callOrder(calls), { kind: 'order', names: ['a', 'b', 'c'] })
})

test('a cycle is named from its first call round to it again', () => {
  const calls = new Map([
    ['a', ['c']],
    ['b', ['a']],
    ['c', ['b']],
    ['x', ['a']],
    ['free', []],
  ])
  assert.deepEqual(callOrder(calls), { kind: 'cycle', names: ['a', 'c', 'b', 'a'] })
  assert.deepEqual(callOrder(new Map([['a', ['a']]])), { kind: 'cycle', names: ['a', 'a'] })
})

/** Everything that a call waits for, however far; a call in a cycle waits for itself. */
function reaches(calls: Dependencies, from: string, seen = new Set<string>()): Set<string> {
  for (const name of calls.get(from) ?? []) {
    if (seen.has(name)) continue
    seen.add(name)
    reaches(calls, name, seen)
  }
  return seen
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
const dependencies = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)), { maxLength: 9 })
  .map((edges): Dependencies => {
    const calls = new Map<string, string[]>(NAMES.map((name) => [name, []]))
    for (const [from, to] of edges) calls.get(from)?.push(to)
    return calls
  })

test('each call comes after those it depends on, or a real cycle is named', () => {
  fc.assert(
    fc.property(dependencies, (calls) => {
      const order = callOrder(calls)
      const cyclic = NAMES.some((name) => reaches(calls, name).has(name))
      assert.equal(order.kind, cyclic ? 'cycle' : 'order')
      if (order.kind === 'cycle') {
        assert.equal(order.names.at(0), order.names.at(-1))
        for (const [i, name] of order.names.slice(0, -1).entries()) {
          assert.ok(calls.get(name)?.includes(order.names[i + 1] ?? ''))
        }
        return
      }
      assert.deepEqual(order.names.toSorted(), NAMES)
      for (const [i, name] of order.names.entries()) {
        for (const needed of calls.get(name) ?? []) assert.ok(order.names.indexOf(needed) < i)
      }
    }),
  )
})

test('the order in which calls are written does not matter', () => {
  fc.assert(
    fc.property(dependencies, (calls) => {
      const turned = new Map(
        [...calls].toReversed().map(([name, list]) => [name, list.toReversed()]),
      )
      assert.deepEqual(callOrder(turned), callOrder(calls))
    }),
  )
})
