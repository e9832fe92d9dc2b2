/**
 * Proves keys-disk.ts.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newKey } from '../phases/authenticate/fake/issuer.ts'
import { KeyFiles } from './keys-disk.ts'
import { writeLines } from './state-file.ts'

const root = await mkdtemp(join(tmpdir(), 'fairlead-keys-'))
after(() => rm(root, { recursive: true }))
const ID = 'discovery https://id.example.com'
const key = await newKey('EdDSA', 'k1')
const STORED = { keys: [key.jwk], fetchedAtMs: 1_760_000_000_000 }
const folders = { count: 0 }

async function fresh() {
  const folder = join(root, `${++folders.count}`)
  const files = new KeyFiles(folder)
  await files.write(ID, STORED)
  const [name = ''] = await readdir(folder)
  return { folder, files, path: join(folder, name) }
}

test('what was written is read again, by its owner alone', async () => {
  const { folder, files, path } = await fresh()
  assert.deepEqual(await files.read(ID), STORED)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
  assert.equal(await files.read('jwks https://id.example.com'), null)
})

test('a torn or foreign file is set aside, and nothing of it is believed', async () => {
  for (const length of [0, 10, 100]) {
    const { folder, files, path } = await fresh()
    await truncate(path, length)
    assert.equal(await files.read(ID), null)
    assert.deepEqual(
      (await readdir(folder)).map((name) => name.endsWith('.corrupt')),
      [true],
    )
    await files.write(ID, STORED)
    assert.deepEqual(await files.read(ID), STORED)
  }
  const { files, path } = await fresh()
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace('k1', 'k2'))
  assert.equal(await files.read(ID), null)
})

test('a whole file that says something else is not believed either', async () => {
  const head = { file: 'keys', version: 1, id: ID, fetchedAtMs: 1 }
  const wrong: readonly (readonly object[])[] = [
    [{ ...head, id: 'discovery https://evil.example' }, key.jwk],
    [{ ...head, version: 2 }, key.jwk],
    [{ ...head, fetchedAtMs: 'now' }, key.jwk],
    [head],
    [head, { kty: 'oct', k: 'c2VjcmV0' }],
    [key.jwk],
    [],
  ]
  for (const lines of wrong) {
    const { files, path } = await fresh()
    await writeLines(path, lines)
    assert.equal(await files.read(ID), null)
  }
})

test('a set that nobody names any more leaves nothing behind', async () => {
  const { folder, files } = await fresh()
  await files.remove(ID)
  assert.deepEqual(await readdir(folder), [])
  await files.remove(ID)
})
