/**
 * Proves token-cache.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TokenCache } from './token-cache.ts'

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('get' as const), key: fc.nat(9) }),
    fc.record({ do: fc.constant('put' as const), key: fc.nat(9), chars: fc.nat(5) }),
    fc.record({ do: fc.constant('clear' as const) }),
  ),
)

test('it answers as an unbounded map does, or not at all', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const cache = new TokenCache<number>(4, 12)
      const map = new Map<string, number>()
      for (const [i, step] of all.entries()) {
        if (step.do === 'clear') {
          cache.clear()
          map.clear()
          assert.equal(cache.size, 0)
          continue
        }
        const key = `${step.key}`
        if (step.do === 'put') {
          cache.put(key, i, step.chars)
          map.set(key, i)
          assert.equal(cache.get(key), i)
        } else {
          const found = cache.get(key)
          assert.ok(found === null || found === map.get(key))
        }
        assert.ok(cache.size <= 4)
      }
    }),
  )
})

test('what was used longest ago goes first', () => {
  const cache = new TokenCache<string>(2, 100)
  cache.put('a', 'a', 1)
  cache.put('b', 'b', 1)
  cache.get('a')
  cache.put('c', 'c', 1)
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], ['a', null, 'c'])
})

test('many long tokens take no more room than they may', () => {
  const cache = new TokenCache<string>(1_000, 100)
  for (let i = 0; i < 50; i++) cache.put(`${i}`, 'x', 30)
  assert.equal(cache.size, 3)
  cache.put('huge', 'x', 101)
  assert.equal(cache.size, 0)
})
