/**
 * The files of a folder are followed until it is closed, and not a moment longer.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { followFolder } from './folder-files.ts'

function watches(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'FSEventWrap').length
}

test('a folder that is closed during a look is not followed again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-files-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'inside'))
  await writeFile(join(folder, 'inside', 'a.yaml'), 'kind: none\n')
  const before = watches()
  const files = followFolder(
    folder,
    () => assert.fail('it is closed'),
    (error) => assert.fail(error),
  )
  t.after(() => files.close())
  assert.equal(watches(), before + 1)
  const look = files.readAll()
  files.close()
  await look
  assert.equal(watches(), before)
})
