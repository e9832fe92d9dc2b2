/**
 * Promises of dev-keys.ts.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { textAt } from '../kube/fields.ts'
import { ingest } from '../watch/ingest.ts'
import { createStore } from '../watch/store.ts'
import { createDevKeys } from './dev-keys.ts'

test('a consumer without a key gets one, the same after a restart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  const store = createStore(() => ({ defaultGateway: 'a/b', unresolvedServices: 'sample' }))
  for (const name of ['acme', 'globex']) {
    store.put(ingest('Consumer', { metadata: { namespace: 'shop', name } }))
  }
  const spec = { consumerRef: { name: 'globex' } }
  store.put(ingest('ApiKey', { metadata: { namespace: 'shop', name: 'own' }, spec }))

  const first = createDevKeys(folder)
  const [made, ...more] = first.resources((kind) => store.all(kind))
  assert.equal(more.length, 0)
  const key = first.keys.get('shop/acme') ?? ''
  assert.equal(
    textAt(made?.content['spec'], 'sha256'),
    createHash('sha256').update(key).digest('hex'),
  )
  assert.equal((await stat(join(folder, 'dev-keys.json'))).mode & 0o777, 0o600)

  if (made !== undefined) store.put(made)
  const second = createDevKeys(folder)
  assert.equal(second.resources((kind) => store.all(kind)).length, 1, 'its own key does not count')
  assert.equal(second.keys.get('shop/acme'), key)
})
