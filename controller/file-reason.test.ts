/** Promises of file-reason.ts. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileReason } from './file-reason.ts'

test('what the system says of a file is said in words', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-reason-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'file')
  await writeFile(file, '')
  const cases: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
    [() => readFile(join(folder, 'none')), /^it does not exist$/],
    [() => readFile(join(file, 'below')), /^a part of the path is a file, not a folder$/],
    [() => readFile(folder), /^it is a folder$/],
    [() => mkdir(file, { recursive: true }), /^it is a file$/],
    [() => readFile(join(folder, 'n'.repeat(300))), /^the name is too long$/],
    [() => Promise.reject(new Error('something else')), /^something else$/],
  ]
  for (const [attempt, reason] of cases) {
    const said = await attempt().then(() => 'no error', fileReason)
    assert.match(said, reason)
  }
})
