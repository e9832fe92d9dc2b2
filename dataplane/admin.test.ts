/**
 * Proves the probe port and the admin socket.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { AdminServer, json, text } from './admin.ts'

interface Got {
  readonly status: number
  readonly body: string
  readonly allow: string | undefined
}

function ask(where: object, path: string, options: object = {}): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>()
  const sent = request({ ...where, path, agent: false, ...options }, (response) => {
    let body = ''
    response.on('data', (chunk: Buffer) => (body += chunk.toString()))
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, body, allow: response.headers.allow })
    })
  })
  sent.on('error', reject)
  sent.end()
  return promise
}

async function probe(t: TestContext): Promise<{ readonly host: string; readonly port: number }> {
  const server = new AdminServer({
    '/livez': () => text(200, 'ok'),
    '/readyz': () => text(503, 'starting'),
    '/metrics': () => Promise.resolve(text(200, 'x 1')),
    '/broken': () => Promise.reject(new Error('a secret')),
  })
  t.after(() => server.close())
  const { port } = await server.listen('127.0.0.1', 0)
  return { host: '127.0.0.1', port }
}

test('the probe port shows nothing but its three paths', async (t) => {
  const where = await probe(t)
  assert.deepEqual(await ask(where, '/livez'), { status: 200, body: 'ok\n', allow: undefined })
  assert.equal((await ask(where, '/readyz?verbose')).status, 503)
  assert.equal((await ask(where, '/metrics')).body, 'x 1\n')
  for (const path of ['/', '/table', '/livez/', '/../livez', '/constructor', '/__proto__']) {
    assert.equal((await ask(where, path)).status, 404, path)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
    const { status, allow } = await ask(where, '/livez', { method })
    assert.deepEqual([status, allow], [405, 'GET'], method)
  }
})

test('a browser gets nothing, and a failure says nothing', async (t) => {
  const where = await probe(t)
  const headers = { origin: 'https://evil.example.com' }
  assert.equal((await ask(where, '/livez', { headers })).status, 403)
  const { status, body } = await ask(where, '/broken')
  assert.equal(status, 500)
  assert.ok(!body.includes('secret'))
})

test('the admin socket is for its owner alone, and takes over one that was left', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 'admin.sock')
  const first = new AdminServer({ '/table': () => json({ n: 1 }) })
  const second = new AdminServer({ '/table': () => json({ n: 2 }) })
  t.after(() => Promise.all([first.close(), second.close()]))
  await first.listenAt(socketPath)
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
  assert.equal((await ask({ socketPath }, '/table')).body, '{"n":1}\n')
  await second.listenAt(socketPath)
  assert.equal((await ask({ socketPath }, '/table')).body, '{"n":2}\n')
})

test('an address in use is an error at once', async (t) => {
  const { host, port } = await probe(t)
  const other = new AdminServer({})
  await assert.rejects(other.listen(host, port), { code: 'EADDRINUSE' })
})
