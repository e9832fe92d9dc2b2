/**
 * Proves egress-names.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { candidates, createResolve } from './egress-names.ts'

const CLUSTER = [
  '# written by the kubelet',
  'search shop.svc.cluster.local svc.cluster.local cluster.local',
  'nameserver 10.96.0.10',
  'options ndots:5',
].join('\n')

test('a short name is tried with the search list as the system does', () => {
  assert.deepEqual(candidates('dex.auth', CLUSTER), [
    'dex.auth.shop.svc.cluster.local',
    'dex.auth.svc.cluster.local',
    'dex.auth.cluster.local',
    'dex.auth',
  ])
  const laptop = 'search lan\nnameserver 192.168.1.1'
  assert.deepEqual(candidates('id.example.com', laptop), ['id.example.com', 'id.example.com.lan'])
  assert.deepEqual(candidates('keycloak', laptop), ['keycloak.lan', 'keycloak'])
  assert.deepEqual(candidates('id.example.com.', CLUSTER), ['id.example.com.'])
  assert.deepEqual(candidates('id.example.com', ''), ['id.example.com'])
})

test('the first name that has addresses is the one', async () => {
  const asked: string[] = []
  const resolve = createResolve(
    () => Promise.resolve({ hosts: '', resolvConf: CLUSTER }),
    (name) => {
      asked.push(name)
      return Promise.resolve(name === 'dex.auth.svc.cluster.local' ? ['10.96.1.1'] : [])
    },
  )
  assert.deepEqual(await resolve('dex.auth'), ['10.96.1.1'])
  assert.deepEqual(asked, ['dex.auth.shop.svc.cluster.local', 'dex.auth.svc.cluster.local'])
  assert.deepEqual(await resolve('nowhere'), [])
})

test('addresses, localhost and the hosts file are asked of nobody', async () => {
  const hosts = '127.0.0.1 localhost\n10.0.0.7 id.local keycloak # ours\nbroken keycloak\n'
  const resolve = createResolve(
    () => Promise.resolve({ hosts, resolvConf: '' }),
    () => Promise.reject(new Error('no question was expected')),
  )
  assert.deepEqual(await resolve('192.0.2.1'), ['192.0.2.1'])
  assert.deepEqual(await resolve('2001:db8::1'), ['2001:db8::1'])
  assert.deepEqual(await resolve('localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(await resolve('api.localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(await resolve('keycloak'), ['10.0.0.7'])
})
