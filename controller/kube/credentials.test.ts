/**
 * Kubeconfig files that cannot be used, and what is said of them.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { KubeconfigFailure, loadCredentials } from './credentials.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-kubeconfig-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Parts {
  readonly cluster?: object
  readonly user?: object
  readonly context?: object
  readonly current?: string
}

function written(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function kubeconfig({ cluster, user, context, current = 'a' }: Parts): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user: { token: 't', ...user } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'u', ...context } }],
    'current-context': current,
  })
}

const FIX = /; correct it, or write it anew: kubectl config view --raw --minify$/

const CASES: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ['unfinished', 'clusters: [\n', /unfinished:2:1: is no kubeconfig: deficient indentation/],
  ['empty', '', /empty: is no kubeconfig: /],
  ['bytes', '\u0000\u0001', /bytes:1:1: is no kubeconfig: /],
  ['text', 'hello\n', /text: names no cluster for its current-context/],
  ['list', '[]', /names no cluster for its current-context/],
  ['context', kubeconfig({ current: 'b' }), /names no cluster for its current-context/],
  ['cluster', kubeconfig({ context: { cluster: 'b' } }), /names no cluster/],
  [
    'user',
    kubeconfig({ context: { user: 'b' } }),
    /its current-context names the user "b", which it does not have/,
  ],
  ['server', kubeconfig({ cluster: { server: 'nonsense' } }), /the server "nonsense" is no URL/],
  ['scheme', kubeconfig({ cluster: { server: 'ftp://a' } }), /the server "ftp:\/\/a" is no URL/],
  [
    'without',
    '{"clusters":[{"name":"a","cluster":{}}]}',
    /clusters\[0\]\.cluster\.server is missing/,
  ],
  [
    'authority',
    kubeconfig({ cluster: { 'certificate-authority': '/nowhere/ca.pem' } }),
    /it names \/nowhere\/ca\.pem: it does not exist/,
  ],
]

for (const [name, text, says] of CASES) {
  test(`a kubeconfig that cannot be used is named with its fault: ${name}`, async () => {
    const path = written(name, text)
    const asked = loadCredentials(path).then((credentials) => credentials.tls())
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof KubeconfigFailure, String(error))
      assert.ok(error.message.startsWith(path), error.message)
      assert.match(error.message, says)
      assert.match(error.message, FIX)
      assert.ok(!error.message.includes('\n'))
      return true
    })
  })
}

test('a kubeconfig that can be used says where and who', async () => {
  const credentials = await loadCredentials(written('good', kubeconfig({})))
  assert.equal(credentials.server, 'https://127.0.0.1:6443')
  assert.deepEqual(await credentials.headers(), { Authorization: 'Bearer t' })
})
