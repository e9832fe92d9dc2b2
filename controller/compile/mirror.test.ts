/**
 * Mirrors of rules.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteRule } from '../../crds/api-route.ts'
import { service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'
import { compileRule } from './route.ts'

const RULE: RouteRule = {
  name: 'a',
  match: [{ path: '/a' }],
  backends: [{ service: { name: 'books', port: 80 } }],
  mirror: { backend: { service: { name: 'shadow', port: 80 } } },
}
const BOOKS = service('books', [{ port: 80 }])
const SHADOW = service('shadow', [{ port: 80 }])

test('a mirror names its backend beside those of the rule', () => {
  const { value, problems } = compileRule(RULE, new FieldPath('r'), world([BOOKS, SHADOW]))
  assert.deepEqual(problems, [])
  assert.deepEqual([...value.backends.keys()], ['shop/books:80', 'shop/shadow:80'])
  const to = { kind: 'backend', backend: 'shop/shadow:80' }
  assert.deepEqual(value.traffic.mirror, { to, share: 100_000 })
})

test('a mirror that cannot be resolved is told, and stops nothing', () => {
  const { value, problems } = compileRule(RULE, new FieldPath('r'), world([BOOKS]))
  assert.deepEqual(
    problems.map(({ path, reason }) => [path, reason]),
    [['r.mirror.backend.service.name', 'BackendNotFound']],
  )
  assert.equal(value.action.kind, 'proxy')
  assert.equal(value.traffic.mirror?.to.kind, 'reject')
  assert.deepEqual([...value.backends.keys()], ['shop/books:80'])
})
