/**
 * URLs that data planes are told to fetch.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resource, service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'
import type { StepWithin } from './steps.ts'
import { checkOwnService, checkUrl } from './url.ts'

const AT = new FieldPath<string>('url')

function reasons(url: string, within: StepWithin = world()): readonly string[] {
  return checkUrl(url, AT, within).map(({ reason }) => reason)
}

function gateway(allow: readonly string[]): StepWithin {
  const spec = { egress: { allow } }
  return world([resource('ApiGateway', 'public', { namespace: 'fairlead-system', spec })])
}

test('https is fine, and what is no URL is not', () => {
  assert.deepEqual(reasons('https://id.example.com/keys?x=1'), [])
  for (const url of [
    '',
    'id.example.com',
    'ftp://id.example.com',
    'https://',
    'https://u:p@id.example.com',
    'https://u@id.example.com',
    'https://id.example.com/#x',
  ]) {
    assert.deepEqual(reasons(url), ['Invalid'], url)
  }
})

test("plain http needs the operator, an own Service, or a folder's loopback", () => {
  assert.deepEqual(reasons('http://id.internal/keys'), ['RefNotPermitted'])
  assert.deepEqual(reasons('http://id.internal/keys', gateway(['id.internal'])), [])
  assert.deepEqual(reasons('http://a.b.internal', gateway(['*.internal'])), [])
  assert.deepEqual(reasons('http://internal', gateway(['*.internal'])), ['RefNotPermitted'])
  assert.deepEqual(reasons('http://10.1.2.3:8080', gateway(['10.0.0.0/8'])), [])
  assert.deepEqual(reasons('http://11.1.2.3', gateway(['10.0.0.0/8'])), ['RefNotPermitted'])
  assert.deepEqual(reasons('http://[fd00::1]', gateway(['fd00::/8'])), [])
  assert.deepEqual(reasons('http://id.internal', gateway(['ID.internal'])), [])
})

test('an own Service is named with its namespace, and must exist', () => {
  const within = world([service('id', [{ port: 80 }])])
  for (const host of ['id.shop', 'id.shop.svc', 'id.shop.svc.cluster.local']) {
    assert.deepEqual(reasons(`http://${host}:8080/keys`, within), [], host)
  }
  for (const host of ['id', 'id.other', 'none.shop', 'id.shop.example.com']) {
    assert.deepEqual(reasons(`http://${host}/keys`, within), ['RefNotPermitted'], host)
  }
})

test('an own Service is called at its cluster addresses', () => {
  const found = (spec: object, url = 'http://id.shop/keys') =>
    checkOwnService(url, AT, world([resource('Service', 'id', { spec })]))
  assert.deepEqual(found({ clusterIP: '10.96.0.7' }).value, ['10.96.0.7'])
  assert.deepEqual(found({ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] }).value, [
    '10.96.0.7',
    'fd00::7',
  ])
  assert.deepEqual(found({ clusterIP: '10.96.0.7' }, 'https://id.shop.svc').value, ['10.96.0.7'])
  assert.deepEqual(found({ clusterIP: '10.96.0.7' }, 'https://id.example.com').value, null)
  for (const spec of [{ clusterIP: 'None' }, {}, { type: 'ExternalName', externalName: 'x' }]) {
    const { value, problems } = found(spec)
    assert.equal(value, null)
    assert.deepEqual(
      problems.map(({ severity }) => severity),
      ['warning'],
    )
  }
})

test('loopback is for a folder on the own machine only', () => {
  const folder = world([], { unresolvedServices: 'sample' })
  for (const host of ['127.0.0.1:9000', 'localhost:9000', '[::1]:9000', '127.9.9.9']) {
    assert.deepEqual(reasons(`http://${host}/keys`, folder), [], host)
    assert.deepEqual(reasons(`http://${host}/keys`), ['RefNotPermitted'], host)
  }
})
