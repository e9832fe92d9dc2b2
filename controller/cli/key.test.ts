/**
 * Promises of key.ts.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { parse } from 'yaml'
import { keyShape } from '#wire/key-format'
import { keyYaml, makeKey } from './key.ts'

test('a made key passes its own check and the resource holds only its hash', () => {
  const { key, sha256 } = makeKey()
  assert.equal(keyShape(key), 'key')
  const yaml = keyYaml({ namespace: 'shop', consumer: 'acme', name: null, expiresAtMs: 0 }, sha256)
  assert.ok(!yaml.includes(key))
  assert.deepEqual(parse(yaml), {
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { name: `acme-${sha256.slice(0, 6)}`, namespace: 'shop' },
    spec: {
      consumerRef: { name: 'acme' },
      sha256: createHash('sha256').update(key).digest('hex'),
      expiresAt: '1970-01-01T00:00:00Z',
    },
  })
})
