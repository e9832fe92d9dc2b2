/**
 * What Git holds: nothing that is installed, and no link that leads out of the tree. A link to
 * node_modules that was once committed emptied the folder of everybody who installed after it.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join, posix } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '..', '..')

interface Tracked {
  readonly file: string
  /** Of a symbolic link; null: it is none. */
  readonly target: string | null
}

const LINK = '120000'

function git(...args: readonly string[]): string | null {
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' })
  return status === 0 ? stdout : null
}

/** As Git has it, not as it lies on the disk. Null: this is no clone. */
function tracked(): readonly Tracked[] | null {
  const listed = git('ls-files', '--stage', '-z', '--full-name')
  return (
    listed
      ?.split('\0')
      .filter((line) => line !== '')
      .map((line) => {
        const [facts = '', file = ''] = line.split('\t')
        const [mode, blob = ''] = facts.split(' ')
        return { file, target: mode === LINK ? git('cat-file', 'blob', blob) : null }
      }) ?? null
  )
}

function faultsOf(all: readonly Tracked[]): readonly string[] {
  return all.flatMap(({ file, target }) => {
    if (file.split('/').includes('node_modules')) return [`${file}: is installed, not written`]
    if (target === null) return []
    const leads = posix.normalize(posix.join(posix.dirname(file), target))
    const outside = posix.isAbsolute(target) || leads === '..' || leads.startsWith('../')
    return outside ? [`${file}: leads out of the tree, to ${target}`] : []
  })
}

test('nothing that is installed is tracked, and no link leads out of the tree', () => {
  const all = tracked()
  assert.ok(all !== null, 'only a clone knows what is tracked: run the tests in one')
  assert.ok(all.length > 100, 'Git lists the files')
  assert.deepEqual(faultsOf(all), [])
})

test('what must not be tracked is found wherever it is', () => {
  const linked = (file: string, target: string): Tracked => ({ file, target })
  const bad = [
    linked('node_modules', '/elsewhere'),
    { file: 'node_modules/x/index.js', target: null },
    { file: 'examples/a/node_modules/x.js', target: null },
    linked('a', '/etc/passwd'),
    linked('a', '..'),
    linked('a/b', '../../c'),
    linked('a/b', '../../../c'),
    linked('a/b', 'x/../../../c'),
  ]
  for (const one of bad) assert.equal(faultsOf([one]).length, 1, one.file)
  const good = [
    { file: 'node_modules.md', target: null },
    linked('a/b', '../c'),
    linked('a', 'b'),
    linked('a/b', '..c'),
  ]
  assert.deepEqual(faultsOf(good), [])
})
