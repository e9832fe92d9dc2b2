/**
 * Promises of probe.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProbe } from './probe.ts'

test('ready turns once everything has been read', async (t) => {
  let ready: 'yes' | 'no' = 'no'
  const probe = await startProbe({ listen: { host: '127.0.0.1', port: 0 }, ready: () => ready })
  t.after(() => probe.close())
  const status = async (path: string, method = 'GET'): Promise<number> =>
    (await fetch(`http://127.0.0.1:${probe.port}${path}`, { method })).status
  assert.equal(await status('/livez'), 200)
  assert.equal(await status('/readyz'), 503)
  ready = 'yes'
  assert.equal(await status('/readyz'), 200)
  assert.equal(await status('/readyz', 'POST'), 405)
  assert.equal(await status('/table'), 404)
})
