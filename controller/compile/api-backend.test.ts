/**
 * ApiBackends, and routes that name them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteRule } from '../../crds/api-route.ts'
import { grant, resource, service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'
import { compileRule } from './route.ts'
import type { Resource } from './snapshot.ts'

const BOOKS = service('books', [{ port: 80 }])

function wrapped(spec: object, namespace = 'shop'): Resource {
  const content = { apiVersion: 'fairlead.dev/v1alpha1', kind: 'ApiBackend', spec }
  return { ...resource('ApiBackend', 'wrapped', { namespace }), content }
}

function ruleTo(namespace?: string): RouteRule {
  const apiBackend = { name: 'wrapped', ...(namespace === undefined ? {} : { namespace }) }
  return { name: 'a', match: [{ path: '/a' }], backends: [{ apiBackend }] }
}

const compile = (rule: RouteRule, objects: readonly Resource[]) =>
  compileRule(rule, new FieldPath('r'), world(objects))

test('a route that names an ApiBackend gets its Service and its bounds', () => {
  const spec = { service: { name: 'books', port: 80 }, circuit: { requests: 9 } }
  const { value, problems } = compile(ruleTo(), [BOOKS, wrapped(spec)])
  assert.deepEqual(problems, [])
  const [[key, backend] = []] = [...value.backends]
  assert.equal(key, 'shop/books:80@shop/wrapped')
  assert.deepEqual(backend?.circuit, { requests: 9 })
  assert.ok(value.action.kind === 'proxy')
  assert.deepEqual(value.action.backends[0]?.to, { kind: 'backend', backend: key })
})

test('what health does not state is the default, and an ejection fits below the longest', () => {
  const spec = (outliers: object) => ({
    service: { name: 'books', port: 80 },
    health: { outliers },
  })
  const { value } = compile(ruleTo(), [BOOKS, wrapped(spec({ successRate: '80%' }))])
  const [backend] = [...value.backends.values()]
  assert.deepEqual(backend?.health, {
    outliers: {
      errors: 5,
      successPerMille: 800,
      ejectionMs: 30_000,
      ejectionMaxMs: 300_000,
      outMaxPerMille: 500,
    },
    panicPerMille: 500,
  })
  const long = compile(ruleTo(), [BOOKS, wrapped(spec({ ejection: '1h' }))])
  assert.equal([...long.value.backends.values()][0]?.health?.outliers.ejectionMaxMs, 3_600_000)
  const { problems } = compile(ruleTo(), [BOOKS, wrapped(spec({ ejectionMax: '1s' }))])
  assert.equal(problems[0]?.reason, 'BackendNotFound')
})

test('an ApiBackend that is absent or cannot be used fails the share that names it', () => {
  const broken = [
    [],
    [BOOKS, wrapped({ nope: 1 })],
    [wrapped({ service: { name: 'books', port: 80 } })],
  ]
  for (const objects of broken) {
    const { value, problems } = compile(ruleTo(), objects)
    assert.deepEqual(
      problems.map(({ path, reason }) => [path, reason]),
      [['r.backends[0].apiBackend.name', 'BackendNotFound']],
    )
    assert.ok(value.action.kind === 'proxy')
    assert.equal(value.action.backends[0]?.to.kind, 'reject')
  }
})

test('an ApiBackend of another namespace needs a grant there, and so does its Service', () => {
  const spec = { service: { name: 'books', port: 80 } }
  const theirs = [service('books', [{ port: 80 }], { namespace: 'b' }), wrapped(spec, 'b')]
  const refused = compile(ruleTo('b'), theirs)
  assert.deepEqual(
    refused.problems.map(({ reason }) => reason),
    ['RefNotPermitted'],
  )
  const permit = grant('b', 'ApiRoute', { group: 'fairlead.dev', kind: 'ApiBackend' })
  const { value, problems } = compile(ruleTo('b'), [...theirs, permit])
  assert.deepEqual(problems, [])
  assert.deepEqual([...value.backends.keys()], ['b/books:80@b/wrapped'])
  const far = wrapped({ service: { name: 'books', port: 80, namespace: 'b' } })
  assert.equal(compile(ruleTo(), [...theirs, far]).problems[0]?.reason, 'BackendNotFound')
})
