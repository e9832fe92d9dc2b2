/**
 * Promises of store.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../compile/snapshot.ts'
import { ingest } from './ingest.ts'
import { createStore } from './store.ts'

const installation = { defaultGateway: 'a/b', unresolvedServices: 'problem' } as const

function route(namespace: string, name: string, version: string, path = '/'): Resource {
  const generation = path.length
  const metadata = {
    namespace,
    name,
    uid: `${namespace}-${name}`,
    generation,
    resourceVersion: version,
  }
  return ingest('ApiRoute', { metadata, spec: { path } })
}

test('an untouched namespace keeps its map from one snapshot to the next', () => {
  const store = createStore(() => installation)
  store.put(route('a', 'x', '1'))
  store.put(route('b', 'y', '2'))
  const first = store.snapshot(new Map())
  store.put(route('b', 'z', '3'))
  const second = store.snapshot(new Map())
  assert.equal(first.kinds.ApiRoute.get('a'), second.kinds.ApiRoute.get('a'))
  assert.notEqual(first.kinds.ApiRoute.get('b'), second.kinds.ApiRoute.get('b'))
  assert.equal(first.kinds.AuthPolicy, second.kinds.AuthPolicy)
  assert.equal(first.kinds.ApiRoute.get('b')?.has('z'), false)
})

test('a change that compile does not read keeps the object and raises its version', () => {
  const store = createStore(() => installation)
  store.put(route('a', 'x', '1'))
  const before = store.snapshot(new Map())
  store.put(route('a', 'x', '9'))
  assert.equal(store.snapshot(new Map()).kinds.ApiRoute, before.kinds.ApiRoute)
  assert.equal(store.version('ApiRoute', 'a', 'x'), '9')
})

test('a list that ends leaves out what is gone, in its own namespace only', () => {
  const store = createStore(() => installation)
  for (const name of ['x', 'y'])
    for (const inside of ['a', 'b']) store.put(route(inside, name, '1'))
  store.replace('ApiRoute', 'a', [route('a', 'y', '2', '/new')])
  const { ApiRoute } = store.snapshot(new Map()).kinds
  assert.deepEqual([...(ApiRoute.get('a')?.keys() ?? [])], ['y'])
  assert.deepEqual([...(ApiRoute.get('b')?.keys() ?? [])], ['x', 'y'])
  store.replace('ApiRoute', null, [])
  assert.equal(store.snapshot(new Map()).kinds.ApiRoute.size, 0)
})

test('an installation that says the same stays the same object', () => {
  const store = createStore(() => ({ ...installation }))
  const first = store.snapshot(new Map())
  assert.equal(store.snapshot(new Map()).installation, first.installation)
})
