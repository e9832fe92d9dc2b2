/** The API server takes our kinds, and refuses what a folder refuses. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startCluster } from './cluster.ts'

const manifests = join(import.meta.dirname, '..', '..', 'crds', 'manifests')

test('a real API server accepts the manifests', async (t) => {
  const cluster = await startCluster(t)
  await cluster.kubectl(['apply', '--server-side', '-f', manifests])
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', manifests])
  const kinds = await cluster.kubectl(['api-resources', '--api-group=fairlead.dev', '-o', 'name'])
  assert.match(kinds, /apiroutes\.fairlead\.dev/)
})
