/**
 * Promises of folder-object.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identify } from './folder-object.ts'

function identified(raw: Readonly<Record<string, unknown>>) {
  return identify({ raw, locate: () => ({ line: 1, column: 1 }) })
}

const metadata = { name: 'a' }
const apiVersion = 'fairlead.dev/v1alpha1'

test('a kind that nobody knows gets the nearest one suggested', () => {
  const found = identified({ apiVersion, kind: 'ApiRoutes', metadata })
  assert.equal(
    found.kind === 'problem' && found.sentence,
    'No kind "ApiRoutes"; did you mean ApiRoute?',
  )
})

test('an object without a namespace stands in default, a Namespace in none', () => {
  const route = identified({ apiVersion, kind: 'ApiRoute', metadata })
  assert.equal(route.kind === 'object' && route.namespace, 'default')
  const namespace = identified({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'a', namespace: 'b' },
  })
  assert.equal(namespace.kind === 'object' && namespace.namespace, '')
})

test('what an API server refuses of the envelope is refused, with its place', () => {
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ apiVersion }, 'kind'],
    [{ apiVersion: 'v1', kind: 'ApiRoute', metadata }, 'apiVersion'],
    [{ apiVersion, kind: 'ApiRoute' }, 'metadata'],
    [{ apiVersion, kind: 'ApiRoute', metadata: { name: 'Upper' } }, 'metadata.name'],
    [
      { apiVersion, kind: 'ApiRoute', metadata: { name: 'a', namespace: '../b' } },
      'metadata.namespace',
    ],
    [{ apiVersion, kind: 'LastValid', metadata }, 'kind'],
  ]
  for (const [raw, path] of cases) {
    const found = identified(raw)
    assert.equal(found.kind === 'problem' && found.path, path, JSON.stringify(raw))
  }
})

test('the status of an object does not make it another', () => {
  const digest = (raw: Readonly<Record<string, unknown>>): string => {
    const found = identified({ apiVersion, kind: 'ApiRoute', metadata, ...raw })
    return found.kind === 'object' ? found.digest : ''
  }
  assert.equal(digest({ spec: { a: 1, b: 2 } }), digest({ status: { x: 1 }, spec: { b: 2, a: 1 } }))
  assert.notEqual(digest({ spec: { a: 1 } }), digest({ spec: { a: 2 } }))
})
