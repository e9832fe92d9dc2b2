/**
 * What is found in a real folder, and what of one that lets nobody in.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { listed } from './folder-list.ts'

async function folderOf(t: TestContext, files: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-list-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const file of files) {
    await mkdir(join(folder, file, '..'), { recursive: true })
    await writeFile(join(folder, file), '')
  }
  return folder
}

test('files that count are found in all folders that do', async (t) => {
  const files = ['a.yaml', 'b.txt', 'in/c.json', 'in/deep/d.yml', '.git/e.yaml', 'fixtures/f.yaml']
  const found = await listed(await folderOf(t, files))
  assert.deepEqual([...found.files], ['a.yaml', 'in/c.json', 'in/deep/d.yml'])
  assert.deepEqual([...found.folders].toSorted(), ['', 'in', 'in/deep'])
  assert.equal(found.closed.size, 0)
})

test('links to folders are named and not followed', async (t) => {
  const folder = await folderOf(t, ['a.yaml', 'in/b.yaml'])
  await symlink('..', join(folder, 'in', 'up'))
  await symlink('/', join(folder, 'everything'))
  await symlink('nowhere', join(folder, 'nothing'))
  const found = await listed(folder)
  assert.deepEqual([...found.files], ['a.yaml', 'in/b.yaml'])
  assert.deepEqual([...found.closed.keys()].toSorted(), ['everything', 'in/up'])
})

test('a link to a file that is not there is named', async (t) => {
  const folder = await folderOf(t, ['a.yaml'])
  await symlink('gone.yaml', join(folder, 'b.yaml'))
  const found = await listed(folder)
  assert.deepEqual([...found.files], ['a.yaml'])
  assert.deepEqual(
    [...found.closed],
    [['b.yaml', 'this link leads to nothing; mend it, or remove it']],
  )
})

test('files of a mounted ConfigMap are found by their own names', async (t) => {
  const folder = await folderOf(t, ['..2026_11_24/a.yaml'])
  await symlink('..2026_11_24', join(folder, '..data'))
  await symlink('..data/a.yaml', join(folder, 'a.yaml'))
  const found = await listed(folder)
  assert.deepEqual([...found.files], ['a.yaml'])
  assert.equal(found.closed.size, 0)
})

test('a folder that lets nobody in is named, and its neighbours are found', async (t) => {
  const folder = await folderOf(t, ['a.yaml', 'in/b.yaml', 'locked/c.yaml'])
  const words = "EACCES: permission denied, scandir '/a/locked'"
  const closed = Object.assign(new Error(words), { code: 'EACCES' })
  const found = await listed(folder, (path) => {
    if (path.endsWith('locked')) return Promise.reject(closed)
    return readdir(path, { withFileTypes: true })
  })
  assert.deepEqual([...found.files], ['a.yaml', 'in/b.yaml'])
  assert.deepEqual([...found.closed], [['locked', 'permission denied']])
  await assert.rejects(listed(join(folder, 'none')), /ENOENT/)
})
