/** Proves listeners.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gateway, Listener } from '#wire/table'
import { tableObject } from '../test/fake/table.ts'
import { unheardListeners } from './listeners.ts'

const OWN = { http: 8080, https: 8443 }

function reasons(listeners: readonly Listener[] | null, own = OWN): readonly string[] {
  const value: Gateway = {
    trustedProxies: [],
    egressAllow: [],
    dataPlanes: 1,
    ...(listeners === null ? {} : { listeners }),
  }
  const secret = tableObject('secret', 'shop/pepper:key', { base64: '' })
  const objects = [tableObject('gateway', 'shop/default', value), secret]
  return unheardListeners(objects, own).map(({ reason }) => reason)
}

test('a listener that nobody opened is told, with what is open', () => {
  const http: Listener = { port: 8080, protocol: 'http' }
  const https: Listener = { port: 8443, protocol: 'https' }
  assert.deepEqual(reasons([http, https]), [])
  assert.deepEqual(reasons(null), [], 'its own settings say where')
  assert.deepEqual(unheardListeners([], OWN), [])
  const alone = unheardListeners(
    [
      tableObject('gateway', 'shop/default', {
        trustedProxies: [],
        egressAllow: [],
        dataPlanes: 1,
        listeners: [http, https],
      }),
    ],
    { http: 8080, https: null },
  )
  assert.deepEqual(
    alone.map(({ key, reason }) => [key, reason]),
    [
      [
        'shop/default',
        'it listens on 8080 (HTTP), not on 8443 (HTTPS); correct the listeners, or its --http and --https',
      ],
    ],
  )
})

test('a port that is open for another protocol is not the listener', () => {
  assert.deepEqual(reasons([{ port: 8443, protocol: 'http' }]), [
    'it listens on 8080 (HTTP) and 8443 (HTTPS), not on 8443 (HTTP); correct the listeners, or its --http and --https',
  ])
})
