/**
 * Promises of identity.ts, with the answers that a TokenReview can have.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Namespaced, Resource } from '../compile/snapshot.ts'
import { gatewayOfAccount, newToken, staticTokens, tokenReview } from './identity.ts'
import type { Identified } from './identity.ts'

const USER = {
  username: 'system:serviceaccount:fairlead-system:fairlead-public',
  extra: { 'authentication.kubernetes.io/pod-name': ['public-7d9'] },
}
const GOOD = { authenticated: true, audiences: ['fairlead-wire'], user: USER }
/** Not a real token: only its payload is looked at, after the API server has verified it. */
const TOKEN = `e30.${Buffer.from('{"exp":1900000000}').toString('base64url')}.c2ln`

async function identified(status: unknown, pod: 'required' | 'optional' = 'required') {
  const asked: unknown[] = []
  const identify = tokenReview({
    review: async (spec) => {
      asked.push(spec)
      return { status }
    },
    gatewayOf: ({ namespace, name }) =>
      `${namespace}/${name}` === 'fairlead-system/fairlead-public'
        ? 'fairlead-system/public'
        : null,
    isOurs: ({ name }) => (name === 'fairlead-controller' ? 'yes' : 'no'),
    pod,
  })
  const result = await identify(TOKEN)
  assert.deepEqual(asked, [{ token: TOKEN, audiences: ['fairlead-wire'] }])
  return result
}

function because(result: Identified): string {
  return result.kind === 'refused' ? result.because : result.kind
}

test("only a token of the wire's audience names a gateway", async () => {
  assert.deepEqual(await identified(GOOD), {
    kind: 'known',
    gateway: 'fairlead-system/public',
    dataPlane: 'public-7d9',
    expiresAtMs: 1_900_000_000_000,
  })
  for (const audiences of [[], ['other'], undefined, 'fairlead-wire', ['fairlead-wire2']]) {
    assert.match(because(await identified({ ...GOOD, audiences })), /audience/)
  }
})

test('whatever is missing or strange in a review, nobody comes in by it', async () => {
  const users: unknown[] = [
    undefined,
    {},
    { ...USER, username: 'admin' },
    { ...USER, username: 'system:serviceaccount:fairlead-system' },
    { ...USER, username: 'system:serviceaccount:fairlead-system:fairlead-public:x' },
    { ...USER, username: 'system:serviceaccount:other:fairlead-public' },
    { ...USER, extra: {} },
    { ...USER, extra: { 'authentication.kubernetes.io/pod-name': [] } },
  ]
  for (const user of users) assert.equal((await identified({ ...GOOD, user })).kind, 'refused')
  for (const status of [undefined, null, {}, { ...GOOD, authenticated: 'true' }, 'yes', []]) {
    assert.equal((await identified(status)).kind, 'refused')
  }
})

test('outside of pods the data plane names itself where that is allowed', async () => {
  const result = await identified({ ...GOOD, user: { ...USER, extra: {} } }, 'optional')
  assert.equal(result.kind === 'known' ? result.dataPlane : 'refused', null)
})

test('a controller is one whatever gateway its account is named by, and no data plane', async () => {
  const username = 'system:serviceaccount:fairlead-system:fairlead-controller'
  const result = await identified({ ...GOOD, user: { ...USER, username } })
  assert.deepEqual(result, { kind: 'replica', expiresAtMs: 1_900_000_000_000 })
})

test('an API server that does not answer is not a refusal', async () => {
  const identify = tokenReview({
    review: () => Promise.reject(new Error('timeout')),
    gatewayOf: () => 'a/b',
    isOurs: () => 'no',
    pod: 'required',
  })
  assert.deepEqual(await identify(TOKEN), { kind: 'unavailable', because: 'timeout' })
})

function gateway(namespace: string, name: string, serviceAccount: string, createdMs = 0): Resource {
  return {
    kind: 'ApiGateway',
    namespace,
    name,
    uid: name,
    generation: 1,
    resourceVersion: '1',
    createdMs,
    labels: {},
    annotations: {},
    content: { spec: { dataPlanes: { serviceAccount } } },
    secrets: null,
  }
}

test('a ServiceAccount belongs to the oldest gateway of its namespace that names it', () => {
  const all = [
    gateway('a', 'young', 'sa', 2_000),
    gateway('a', 'old', 'sa', 1_000),
    gateway('a', 'other', 'sa-other'),
  ]
  const gateways: Namespaced = new Map([
    ['a', new Map(all.map((one) => [one.name, one]))],
    ['b', new Map([['foreign', gateway('b', 'foreign', 'sa-b')]])],
  ])
  assert.equal(gatewayOfAccount(gateways, { namespace: 'a', name: 'sa' }), 'a/old')
  assert.equal(gatewayOfAccount(gateways, { namespace: 'a', name: 'sa-b' }), null)
  assert.equal(gatewayOfAccount(gateways, { namespace: 'b', name: 'sa-b' }), 'b/foreign')
  assert.equal(gatewayOfAccount(gateways, { namespace: 'c', name: 'sa' }), null)
})

test('a static token opens the gateway of its file, and an empty or missing file opens nothing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-identity-'))
  t.after(() => rm(folder, { recursive: true }))
  const token = newToken()
  const file = join(folder, 'token')
  const empty = join(folder, 'empty')
  await writeFile(file, `${token}\n`)
  await writeFile(empty, '\n')
  const identify = staticTokens([
    { file: empty, gateway: 'a/empty' },
    { file: join(folder, 'missing'), gateway: 'a/missing' },
    { file, gateway: 'a/b' },
  ])
  const known = { kind: 'known', gateway: 'a/b', dataPlane: null, expiresAtMs: null }
  assert.deepEqual(await identify(token), known)
  for (const wrong of ['', ' ', token.slice(1), `${token}x`, newToken()]) {
    assert.equal((await identify(wrong)).kind, 'refused')
  }
})
