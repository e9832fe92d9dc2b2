/**
 * Promises of folder.ts: real files in a temporary folder.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Resource } from '../compile/snapshot.ts'
import { FILE_BYTES_MAX } from './folder-document.ts'
import { type FolderSource, readFolder } from './folder.ts'
import { ingest } from './ingest.ts'

function route(name: string, path = '/a'): string {
  return `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: ${name} }
spec:
  rules:
  - name: one
    match: [{ path: ${path} }]
`
}

interface Reading {
  readonly folder: string
  readonly source: FolderSource
  /** Resolves once the condition holds after a change; rejects after two seconds. */
  readonly until: (condition: () => unknown) => Promise<void>
  readonly names: () => string[]
}

async function reading(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  added: () => readonly Resource[] = () => [],
): Promise<Reading> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-folder-'))
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder, file, '..'), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  const listeners = new Set<() => void>()
  const changed = (): void => {
    for (const listener of listeners) listener()
  }
  const source = await readFolder({ folder, changed, added })
  t.after(async () => {
    await source.close()
    await rm(folder, { recursive: true })
  })
  async function until(condition: () => unknown): Promise<void> {
    if (condition()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const limit = setTimeout(() => reject(new Error(`never came: ${condition.toString()}`)), 4000)
    const listener = (): void => {
      if (condition()) resolve()
    }
    listeners.add(listener)
    await promise.finally(() => {
      clearTimeout(limit)
      listeners.delete(listener)
    })
  }
  const names = (): string[] =>
    [...(source.snapshot(new Map()).kinds.ApiRoute.get('default')?.keys() ?? [])].toSorted()
  return { folder, source, until, names }
}

test('a folder, its sub-folders and multi-document files are read; dot files are not', async (t) => {
  const { names, source } = await reading(t, {
    'a.yaml': `${route('a')}---\n${route('b')}`,
    'sub/deep/c.yml': route('c'),
    'd.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: 'fairlead.dev/v1alpha1',
          kind: 'ApiRoute',
          metadata: { name: 'd' },
          spec: {},
        },
      ],
    }),
    '.hidden.yaml': route('hidden'),
    'fixtures/shop/books/x.json': '{}',
    'notes.txt': 'not yaml: [',
  })
  assert.deepEqual(names(), ['a', 'b', 'c', 'd'])
  assert.deepEqual(source.problems(), [])
})

test('a saved, a new and a removed file take effect', async (t) => {
  const { folder, names, source, until } = await reading(t, { 'a.yaml': route('a') })
  const before = source.current('ApiRoute', 'default', 'a')
  await writeFile(join(folder, 'a.yaml'), route('a', '/b'))
  await until(() => source.current('ApiRoute', 'default', 'a')?.generation === 2)
  assert.notEqual(source.current('ApiRoute', 'default', 'a'), before)
  await mkdir(join(folder, 'new'))
  await writeFile(join(folder, 'new', 'c.yaml'), route('c'))
  await until(() => names().includes('c'))
  await rm(join(folder, 'a.yaml'))
  await until(() => !names().includes('a'))
})

test('a half-written file keeps its previous content in force and says so', async (t) => {
  const { folder, names, source, until } = await reading(t, { 'a.yaml': route('a') })
  await writeFile(join(folder, 'a.yaml'), `${route('a', '/b')}  - name: [`)
  await until(() => source.problems().length > 0)
  assert.deepEqual(names(), ['a'])
  assert.equal(source.current('ApiRoute', 'default', 'a')?.generation, 1)
  assert.match(source.problems()[0]?.sentence ?? '', /said before stays in force/)
  await writeFile(join(folder, 'a.yaml'), route('a', '/c'))
  await until(() => source.problems().length === 0)
  assert.equal(source.current('ApiRoute', 'default', 'a')?.generation, 2)
})

test('a document of ours that is not recognised takes nothing back', async (t) => {
  const { folder, names, source, until } = await reading(t, { 'a.yaml': route('a') })
  const file = join(folder, 'a.yaml')
  for (const [what, broken] of [
    ['"ApiRout"', route('a').replace('ApiRoute', 'ApiRout')],
    ['apiVersion', route('a').replace('v1alpha1', 'v1alpha')],
    ['metadata.name', route('a').replace('name: a', 'name: A_')],
    ['file is empty', ''],
    ['file is empty', ' \n'],
  ] as const) {
    await writeFile(file, broken)
    await until(() => source.problems().some(({ sentence }) => sentence.includes(what)))
    assert.match(source.problems()[0]?.sentence ?? '', /said before stays in force/)
    assert.deepEqual(names(), ['a'], what)
    await writeFile(file, route('a'))
    await until(() => source.problems().length === 0)
  }
  const beside = `${route('a').replace('ApiRoute', 'ApiRout')}---\n${route('b')}`
  await writeFile(file, beside)
  await until(() => names().includes('b'))
  assert.deepEqual(names(), ['a', 'b'], 'and holds nothing up')
  const foreign = 'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: x }\n'
  await writeFile(file, `${foreign}---\n${route('b')}`)
  await until(() => !names().includes('a'))
  assert.deepEqual(names(), ['b'], 'what is not ours keeps nothing in force')
  await writeFile(file, '# nothing here any more')
  await until(() => names().length === 0)
})

test('an unchanged object keeps its identity when its file is saved again', async (t) => {
  const { folder, names, source, until } = await reading(t, { 'a.yaml': route('a') })
  const before = source.current('ApiRoute', 'default', 'a')
  await writeFile(join(folder, 'next.tmp'), `# a comment\n${route('a')}---\n${route('b')}`)
  await rename(join(folder, 'next.tmp'), join(folder, 'a.yaml'))
  await until(() => names().includes('b'))
  assert.equal(source.current('ApiRoute', 'default', 'a'), before)
})

test('of two files that define one object the first by name has the word', async (t) => {
  const { folder, source, until } = await reading(t, {
    'a.yaml': route('x', '/a'),
    'b.yaml': route('x', '/b'),
  })
  const [problem] = source.problems()
  assert.equal(problem?.file, 'b.yaml')
  assert.match(problem?.sentence ?? '', /already defined in a\.yaml:1/)
  await rm(join(folder, 'a.yaml'))
  await until(() => source.problems().length === 0)
  assert.match(JSON.stringify(source.current('ApiRoute', 'default', 'x')?.content), /\/b/)
})

test('a file has the word over an object that is added where there is none', async (t) => {
  const added = ingest('ApiRoute', { metadata: { name: 'x', namespace: 'default', uid: 'added' } })
  const { folder, source, until } = await reading(t, { 'b.yaml': route('b') }, () => [added])
  const current = (): string | undefined => source.current('ApiRoute', 'default', 'x')?.uid
  assert.equal(current(), 'added')
  await writeFile(join(folder, 'a.yaml'), route('x'))
  await until(() => current() !== 'added')
  assert.notEqual(current(), undefined)
  await rm(join(folder, 'a.yaml'))
  await until(() => current() === 'added')
})

test('a problem is shown at file, line and column', async (t) => {
  const { source } = await reading(t, { 'sub/a.yaml': `# first\n---\n${route('a')}` })
  const place = source.locate('ApiRoute', 'default', 'a', 'spec.rules[0].match[0].path')
  assert.equal(place, 'sub/a.yaml:9:15')
})

test('a kind that nobody knows, a tag and a double key are named with their line', async (t) => {
  const { source } = await reading(t, {
    'a.yaml': 'apiVersion: fairlead.dev/v1alpha1\nkind: apiroutes\nmetadata: { name: a }\n',
    'b.yaml': `${route('b')}    when: !x\n`,
    'c.yaml': 'kind: ApiRoute\nkind: ApiRoute\n',
  })
  const said = source.problems().map(({ file, line, sentence }) => `${file}:${line} ${sentence}`)
  assert.equal(said.length, 3, said.join('\n'))
  assert.match(said[0] ?? '', /a\.yaml:2 .*did you mean ApiRoute/)
  assert.match(said[1] ?? '', /b\.yaml:8 .*put the value in quotes/)
  assert.match(said[2] ?? '', /c\.yaml:2 .*unique/)
})

test('a file that cannot be read says so and keeps its content', async (t) => {
  const { folder, names, source, until } = await reading(t, { 'a.yaml': route('a') })
  await writeFile(join(folder, 'a.yaml'), '#'.repeat(FILE_BYTES_MAX + 1))
  const said = /larger than .* said before stays in force/
  // What is written in place may be seen empty first.
  await until(() => said.test(source.problems()[0]?.sentence ?? ''))
  assert.deepEqual(names(), ['a'])
})

test('what the system says of a file is said in words, at its place', async (t) => {
  const { folder, source, until, names } = await reading(t, { 'a.yaml': route('a') })
  await symlink('a.yaml', join(folder, '.link'))
  await rename(join(folder, '.link'), join(folder, 'a.yaml'))
  await until(() => source.problems().length > 0)
  const [found] = source.problems()
  assert.deepEqual([found?.file, found?.line], ['a.yaml', 1])
  assert.match(found?.sentence ?? '', /^Cannot be read: its links lead in a circle\./)
  assert.deepEqual(names(), ['a'])
})

test('a folder behind a link is named and holds up nothing beside it', async (t) => {
  const { folder, source, until, names } = await reading(t, { 'a.yaml': route('a') })
  await symlink('..', join(folder, 'up'))
  await until(() => source.problems().length > 0)
  assert.match(source.problems()[0]?.sentence ?? '', /^Cannot be read: links to folders are not/)
  await writeFile(join(folder, 'b.yaml'), route('b'))
  await until(() => names().length === 2)
  await rm(join(folder, 'up'))
  await until(() => source.problems().length === 0)
})

test('a folder that is none is refused with its name', async () => {
  const changed = (): void => {}
  await assert.rejects(
    readFolder({ folder: '/nonexistent-folder', changed }),
    /cannot read the folder \/nonexistent-folder/,
  )
})

test('a file that is written slowly is read once it rests, never by halves', async (t) => {
  const whole = `${route('a')}---\n${route('b')}`
  const { folder, names, source, until } = await reading(t, { 'a.yaml': whole })
  const file = await open(join(folder, 'a.yaml'), 'w')
  for (let written = 0; written < whole.length; written += 40) {
    await file.write(whole.slice(written, written + 40))
    await new Promise((resolve) => setTimeout(resolve, 8))
    assert.deepEqual(names(), ['a', 'b'])
  }
  await file.write(`---\n${route('c')}`)
  await file.close()
  await until(() => names().includes('c'))
  assert.deepEqual(source.problems(), [])
})
