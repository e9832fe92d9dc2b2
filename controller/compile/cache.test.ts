/**
 * Caches of rules.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheSpec } from '../../crds/cache.ts'
import { compileCache } from './cache.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<CacheSpec>('cache')

test("an answer is its caller's own unless the rule says shared", () => {
  assert.deepEqual(compileCache({ ttl: '60s' }, AT), {
    value: { ttlS: 60, audience: 'private', by: [], staleIfErrorS: 0 },
    problems: [],
  })
  const by = ['header:Accept-Language', 'claim:tenant', 'query:Q', 'consumer']
  const { value } = compileCache({ ttl: '1m', by, staleIfError: '10m' }, AT)
  assert.equal(value.staleIfErrorS, 600)
  assert.deepEqual(value.by, [
    { of: 'header', name: 'accept-language' },
    { of: 'claim', name: 'tenant' },
    { of: 'query', name: 'Q' },
    { of: 'consumer', name: '' },
  ])
  assert.equal(compileCache({ ttl: '1s', shared: true }, AT).value.audience, 'shared')
})

test('what contradicts itself, or no timer holds, is refused at its place', () => {
  const at = (spec: CacheSpec): unknown => compileCache(spec, AT).problems[0]?.path
  assert.equal(at({ ttl: '1s', shared: true, by: ['header:a', 'consumer'] }), 'cache.by[1]')
  assert.equal(at({ ttl: '99999h' }), 'cache.ttl')
  assert.equal(at({ ttl: '1s', staleIfError: '99999h' }), 'cache.staleIfError')
})
