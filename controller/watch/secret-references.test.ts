/**
 * Promises of secret-references.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ingest } from './ingest.ts'
import { createSecretReferences } from './secret-references.ts'
import { createStore } from './store.ts'

test('a reference anywhere in a spec is found, in the namespace that it names', () => {
  const store = createStore(() => ({ defaultGateway: 'a/b', unresolvedServices: 'problem' }))
  const entry = { apiKey: { pepperSecretRef: { name: 'p' } } }
  store.put(
    ingest('AuthPolicy', {
      metadata: { namespace: 'a', name: 'x' },
      spec: { authenticate: { k: entry } },
    }),
  )
  const certificates = [{ secretRef: { name: 't', namespace: 'tls' } }]
  store.put(
    ingest('ApiRoute', {
      metadata: { namespace: 'b', name: 'y' },
      spec: { tls: { certificates } },
    }),
  )
  store.put(
    ingest('ApiRoute', {
      metadata: { namespace: 'c', name: 'z' },
      spec: { secret: { name: 'no' } },
    }),
  )
  const found = createSecretReferences().namespaces((kind) => store.all(kind))
  assert.deepEqual([...found].toSorted(), ['a', 'tls'])
})
