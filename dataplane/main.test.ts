/**
 * Proves the whole process from its folder: no controller answers, the table from disk serves.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { xorOf } from '#wire/digest'
import type { Rule } from '#wire/table'
import { tableObject } from '../test/fake/table.ts'
import { BACKEND, fixed, get, listLog, PROXY, ruleOf, tableOf } from './fake/plane.ts'
import { AddressUnusable } from './addresses.ts'
import { type DataPlane, type DataPlaneOptions, startDataPlane } from './main.ts'
import { openDisk } from './sync/disk.ts'
import { answerOf, startRecorder, until } from './upstream/fake/recorder.ts'

interface Folder {
  readonly state: string
  readonly options: DataPlaneOptions
}

async function folderWith(
  t: TestContext,
  rules: readonly Rule[],
  backendPort = 1,
): Promise<Folder> {
  const state = await mkdtemp(join(tmpdir(), 'fairlead-'))
  t.after(() => rm(state, { recursive: true }))
  const log = listLog()
  const disk = await openDisk({ folder: state, log })
  const objects = tableOf(rules)
  const hash = xorOf(objects.map(({ digest }) => digest))
  await disk.writeTable({ objects, hash, reached: { epoch: '1', basis: { folder: '1' } } })
  const endpoints = [{ address: '127.0.0.1', port: backendPort, zone: null }]
  const sets = [{ backend: BACKEND, version: 1, endpoints }]
  await disk.writeEndpoints({ atMs: Date.now(), sets })
  const token = join(state, 'token')
  await writeFile(token, 'x')
  return {
    state,
    options: {
      http: { host: '127.0.0.1', port: 0 },
      https: null,
      admin: { host: '127.0.0.1', port: 0 },
      listeners: 'held',
      workers: 2,
      state,
      sync: {
        controllers: ['https://127.0.0.1:1'],
        caFile: token,
        tokenFile: token,
        name: 'test',
        timings: { aloneAfterMs: 200, retryMsMin: 50, retryMsMax: 100 },
      },
      accessLog: 'off',
      loopback: 'refuse',
      kill: () => undefined,
      memoryBytes: null,
      log,
    },
  }
}

async function start(t: TestContext, options: DataPlaneOptions): Promise<DataPlane> {
  const plane = await startDataPlane(options)
  t.after(() => plane.close(0))
  return plane
}

function askSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve(body))
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function taken(t: TestContext): Promise<number> {
  const server: Server = createServer()
  t.after(() => new Promise((done) => server.close(done)))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  assert.ok(address !== null && typeof address !== 'string')
  return address.port
}

test('it is ready when every worker serves, and says so until it drains', async (t) => {
  const waiting: (() => void)[] = []
  const server = await startRecorder({
    request: (_, socket) => void waiting.push(() => socket.write(answerOf('late'))),
  })
  t.after(() => server.close())
  const rules = [ruleOf('a', '/a', fixed('from disk')), ruleOf('b', '/b', PROXY)]
  const { options, state } = await folderWith(t, rules, server.port)
  const plane = await start(t, options)
  const probe = plane.probeAddress.port
  assert.equal((await get(probe, '/livez')).status, 200)
  await plane.ready
  assert.equal((await get(probe, '/readyz')).body, 'ready\n')
  assert.equal((await get(plane.address.port, '/a')).body, 'from disk')
  assert.match((await get(probe, '/metrics')).body, /fairlead_workers_ready 2\n/)
  const workers = JSON.parse(await askSocket(join(state, 'admin.sock'), '/workers'))
  assert.deepEqual(
    workers.map((worker: { readonly state: string }) => worker.state),
    ['serving', 'serving'],
  )
  const slow = get(plane.address.port, '/b')
  await until('it is at the backend', () => waiting.length === 1)
  const closed = plane.close(3_000)
  await until('it says so', async () => (await get(probe, '/readyz')).body === 'draining\n')
  assert.equal((await get(probe, '/readyz')).status, 503)
  waiting[0]?.()
  assert.equal((await slow).body, 'late')
  await closed
  assert.equal(await plane.exited, 0)
  await assert.rejects(get(probe, '/livez'))
})

test('a listener of the table that is not opened here is told, and what is open serves', async (t) => {
  const { options, state } = await folderWith(t, [ruleOf('a', '/a', fixed('x'))])
  const disk = await openDisk({ folder: state, log: listLog() })
  const gateway = tableObject('gateway', 'shop/default', {
    trustedProxies: [],
    egressAllow: [],
    dataPlanes: 1,
    listeners: [{ port: 1, protocol: 'https' }],
  })
  const rejected = async (listeners: 'held' | 'ignored') => {
    const rules = tableOf([ruleOf('a', '/a', fixed('x'))])
    const objects = [...rules.filter(({ kind }) => kind !== 'gateway'), gateway]
    const hash = xorOf(objects.map(({ digest }) => digest))
    await disk.writeTable({ objects, hash, reached: { epoch: '1', basis: { folder: '1' } } })
    const plane = await startDataPlane({
      ...options,
      listeners,
      https: { host: '127.0.0.1', port: 0, minVersion: 'TLSv1.2', ciphers: null },
    })
    await plane.ready
    assert.equal((await get(plane.address.port, '/a')).body, 'x')
    const sync = JSON.parse(await askSocket(join(state, 'admin.sock'), '/sync'))
    await plane.close(0)
    return sync.rejected.map((one: { readonly key: string }) => one.key)
  }
  assert.deepEqual(await rejected('held'), ['shop/default'])
  assert.deepEqual(await rejected('ignored'), [])
})

test('the admin socket shows the table without its secrets', async (t) => {
  const { options, state } = await folderWith(t, [ruleOf('a', '/a', fixed('x'))])
  const log = listLog()
  const disk = await openDisk({ folder: state, log })
  const secret = tableObject('secret', 'shop/pepper:key', { base64: 'c2VjcmV0LXBlcHBlcg==' })
  const objects = [...tableOf([ruleOf('a', '/a', fixed('x'))]), secret]
  const hash = xorOf(objects.map(({ digest }) => digest))
  await disk.writeTable({ objects, hash, reached: { epoch: '1', basis: { folder: '1' } } })
  const plane = await start(t, options)
  await plane.ready
  const table = await askSocket(join(state, 'admin.sock'), '/table')
  assert.match(table, /"key":"shop\/pepper:key"/)
  assert.ok(!table.includes('c2VjcmV0'))
  assert.ok(!table.includes(secret.digest))
})

test('an address in use is one clear line, and nothing is left behind', async (t) => {
  const { options } = await folderWith(t, [])
  const port = await taken(t)
  const inUse = {
    name: 'AddressUnusable',
    message: `127.0.0.1:${port} is in use by another process`,
  }
  await assert.rejects(startDataPlane({ ...options, http: { host: '127.0.0.1', port } }), inUse)
  await assert.rejects(startDataPlane({ ...options, admin: { host: '127.0.0.1', port } }), inUse)
  const elsewhere = { ...options, http: { host: '192.0.2.1', port: 8080 } }
  await assert.rejects(startDataPlane(elsewhere), AddressUnusable)
})
