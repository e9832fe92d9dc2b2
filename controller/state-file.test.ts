/**
 * Files of a state folder, in a real one.
 */
import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeWhole } from './state-file.ts'

test('a file is the old one or the new one, and only its owner reads it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-state-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'below', 'kept.json')
  await writeWhole(path, 'old')
  assert.equal(await readFile(path, 'utf8'), 'old')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(join(folder, 'below'))).mode & 0o777, 0o700)

  await writeFile(`${path}.new`, 'torn by a crash', { mode: 0o644 })
  await chmod(path, 0o644)
  await writeWhole(path, 'new')
  assert.equal(await readFile(path, 'utf8'), 'new')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(folder, 'below')), ['kept.json'])
})

test('a link that somebody put in the way is not followed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-state-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const victim = join(folder, 'victim')
  await writeFile(victim, 'untouched')
  const path = join(folder, 'kept.json')
  await symlink(victim, `${path}.new`)
  await symlink(victim, path)
  await writeWhole(path, 'new')
  assert.equal(await readFile(victim, 'utf8'), 'untouched')
  assert.equal(await readFile(path, 'utf8'), 'new')
})
