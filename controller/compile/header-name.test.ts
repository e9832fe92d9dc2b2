/**
 * Header names that resources may use.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerName } from './header-name.ts'

test('a name comes back in lower case', () => {
  assert.deepEqual(headerName('X-Tenant'), { kind: 'name', name: 'x-tenant' })
  assert.deepEqual(headerName('x-consumer-name'), { kind: 'name', name: 'x-consumer-name' })
})

test("a name that frames the message or is the gateway's is refused", () => {
  const names = [
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'TE',
    'Trailer',
    'Upgrade',
    'Keep-Alive',
    'Proxy-Connection',
    'x-fairlead-cause',
    'X-FAIRLEAD-anything',
  ]
  for (const name of names) {
    const refused = headerName(name)
    assert.equal(refused.kind, 'refused', name)
    assert.match(refused.kind === 'refused' ? refused.because : '', /remove it|choose another/)
  }
})

test('what is no token is refused', () => {
  for (const name of ['', 'a b', 'a:b', ':path', 'é', 'a\r\nb', 'a(b)']) {
    assert.equal(headerName(name).kind, 'refused', name)
  }
})
