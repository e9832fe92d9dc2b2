/**
 * Promises of folder-kept.ts: real files in a temporary folder, read by one process after another.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readFolder } from './folder.ts'
import { keptFiles } from './folder-kept.ts'

const POLICY = `apiVersion: fairlead.dev/v1alpha1
kind: AuthPolicy
metadata: { name: p }
spec: {}
`
const BROKEN = `${POLICY}  }: [`

interface Place {
  readonly file: string
  readonly folder: string
  readonly state: string
  readonly warnings: string[]
}

async function placeOf(t: TestContext): Promise<Place> {
  const root = await mkdtemp(join(tmpdir(), 'fairlead-kept-'))
  t.after(() => rm(root, { recursive: true }))
  const folder = join(root, 'folder')
  await mkdir(folder)
  const file = join(folder, 'p.yaml')
  await writeFile(file, POLICY)
  return { file, folder, state: join(root, 'state'), warnings: [] }
}

/** A process that reads the folder, and again after `edit`; what it has of policies at its end. */
async function run({ folder, state, warnings }: Place, edit?: () => Promise<void>) {
  const log = { info() {}, warn: (_: object, said: string) => void warnings.push(said), error() {} }
  const kept = await keptFiles(state, log)
  const { promise, resolve } = Promise.withResolvers<void>()
  const source = await readFolder({ folder, changed: resolve, kept })
  if (edit !== undefined) {
    await edit()
    await promise
  }
  const policies = source.snapshot(new Map()).kinds.AuthPolicy.get('default')
  const names = [...(policies?.keys() ?? [])]
  const [sentence = ''] = source.problems().map((problem) => problem.sentence)
  await source.close()
  return { names, sentence }
}

test('what a broken file said stays in force over a restart', async (t) => {
  const place = await placeOf(t)
  const { file, state } = place
  assert.deepEqual(await run(place), { names: ['p'], sentence: '' })
  assert.deepEqual((await run(place, () => writeFile(file, BROKEN))).names, ['p'])
  for (const text of [BROKEN, POLICY.replace('AuthPolicy', 'AuthPolcy'), '']) {
    await writeFile(file, text)
    const { names, sentence } = await run(place)
    assert.deepEqual(names, ['p'], text)
    assert.match(sentence, /said before stays in force/)
  }
  assert.equal((await stat(join(state, 'kept-files.json'))).mode & 0o777, 0o600)
  await rm(file)
  assert.deepEqual(await run(place), { names: [], sentence: '' })
  await writeFile(file, BROKEN)
  assert.deepEqual((await run(place)).names, [], 'a file that went away is forgotten')
  assert.deepEqual(place.warnings, [])
})

test('what a folder held stays in force when nobody can look into it, also over a restart', async (t) => {
  const place = await placeOf(t)
  const inside = join(place.folder, 'in')
  const aside = join(place.folder, '..', 'aside')
  await rm(place.file)
  await mkdir(inside)
  await writeFile(join(inside, 'p.yaml'), POLICY)
  const close = async () => {
    await rename(inside, aside)
    await symlink(aside, inside)
  }
  const said = await run(place, close)
  assert.deepEqual(said.names, ['p'])
  assert.match(said.sentence, /links to folders are not followed/)
  assert.deepEqual((await run(place)).names, ['p'], 'the next process has it too')
  const open = async () => {
    await unlink(inside)
    await mkdir(inside)
  }
  assert.deepEqual(await run(place, open), { names: [], sentence: '' }, 'it is open and empty')
})

test('a damaged memory is set aside, and one that cannot be written is said', async (t) => {
  const place = await placeOf(t)
  await run(place, () => writeFile(place.file, BROKEN))
  await writeFile(join(place.state, 'kept-files.json'), '{"p.yaml":')
  assert.deepEqual((await run(place)).names, [])
  assert.match(place.warnings[0] ?? '', /set aside/)
  await writeFile(place.file, POLICY)
  await mkdir(join(place.state, 'kept-files.json.new'))
  await run(place, () => writeFile(place.file, BROKEN))
  assert.match(place.warnings[1] ?? '', /a restart would forget/)
})
