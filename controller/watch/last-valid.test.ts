/**
 * Promises of last-valid.ts, as far as a folder shows them; a cluster's are in test/cluster.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Remembering } from '../compile/compiled.ts'
import type { Logger } from '../log.ts'
import { folderMemory } from './last-valid.ts'
import { createStore } from './store.ts'

const snapshot = createStore(() => ({
  defaultGateway: 'a/b',
  unresolvedServices: 'sample',
})).snapshot(new Map())
const silent: Logger = { info() {}, warn() {}, error() {} }

const entry: Remembering = {
  kind: 'ApiRoute',
  namespace: 'shop',
  name: 'shop',
  uid: 'u',
  generation: 3,
  spec: { rules: [] },
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fairlead-memory-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

test('a spec that was kept is remembered after a restart', async (t) => {
  const path = await folder(t)
  const before = await folderMemory(path, silent)
  await before.keep([entry], snapshot)
  const after = await folderMemory(path, silent)
  const { kind: _k, namespace: _ns, name: _n, ...remembered } = entry
  assert.deepEqual([...after.remembered(snapshot)], [['ApiRoute shop/shop', remembered]])
  assert.equal((await stat(join(path, 'last-valid.json'))).mode & 0o777, 0o600)
})

test('a spec is forgotten once nothing depends on it', async (t) => {
  const path = await folder(t)
  const memory = await folderMemory(path, silent)
  await memory.keep([entry], snapshot)
  await memory.keep([], snapshot)
  assert.equal(memory.remembered(snapshot).size, 1, 'not before the table without it is out')
  await memory.forget([], snapshot)
  assert.equal((await folderMemory(path, silent)).remembered(snapshot).size, 0)
})

test('a spec that cannot be stored is said, holds nothing up, and is due again', async (t) => {
  const path = await folder(t)
  const said: string[] = []
  const log: Logger = { ...silent, error: (_, message) => void said.push(message) }
  const memory = await folderMemory(path, log)
  await mkdir(join(path, 'last-valid.json.new'))
  await memory.keep([entry], snapshot)
  assert.match(said[0] ?? '', /could not be stored/)
  await rm(join(path, 'last-valid.json.new'), { recursive: true })
  await memory.keep([entry], snapshot)
  assert.equal((await folderMemory(path, silent)).remembered(snapshot).size, 1)
  await mkdir(join(path, 'last-valid.json.new'))
  await memory.forget([], snapshot)
  assert.equal(said.length, 2)
})

test('a torn file is set aside and named, and nothing is remembered', async (t) => {
  const path = await folder(t)
  await writeFile(join(path, 'last-valid.json'), '{"ApiRoute shop/sh')
  const said: string[] = []
  const log: Logger = { ...silent, warn: (_, message) => void said.push(message) }
  assert.equal((await folderMemory(path, log)).remembered(snapshot).size, 0)
  assert.match(said.join(), /set aside/)
  assert.deepEqual(await readdir(path), ['last-valid.json.corrupt'])
})
