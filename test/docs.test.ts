/** What users look up in docs/ is what the code knows, and nothing else. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CONDITION_REASONS, CONDITION_TYPES } from '../crds/condition.ts'

const root = join(import.meta.dirname, '..')

/** The words in the first column of the tables of a page. */
function firstColumn(page: string): string[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8')
  return [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '')
}

test('docs/status.md and crds/condition.ts name the same reasons', () => {
  assert.deepEqual(firstColumn('status.md').toSorted(), [...CONDITION_REASONS].toSorted())
  const text = readFileSync(join(root, 'docs', 'status.md'), 'utf8')
  for (const type of CONDITION_TYPES) assert.match(text, new RegExp(`^## ${type}: `, 'm'))
})

test('every test file that ARCHITECTURE.md names exists', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map((match) => match[1] ?? '')
  assert.ok(named.length > 10)
  assert.deepEqual(
    named.filter((file) => !existsSync(join(root, file))),
    [],
  )
})
