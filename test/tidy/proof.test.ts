/**
 * What proves what: every file of the product has its proof, beside it or by name, and a test that is
 * named exists under that name.
 */
import assert from 'node:assert/strict'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { bare, offenders, openingOf, PRODUCT, read, SOURCES } from './source.ts'

const PRESENT = new Set(SOURCES)

/** Types and constants alone have nothing to prove. */
function behaves(file: string): boolean {
  return /\bfunction\b|=>/.test(bare(file))
}

test('what behaves has a test beside it, or names the one that proves it', () => {
  const wrong = PRODUCT.filter(behaves)
    .filter((file) => !PRESENT.has(file.replace(/\.ts$/, '.test.ts')))
    .filter((file) => !/(pinned|proved) by/i.test(openingOf(file)))
  assert.deepEqual(wrong, [])
})

const NAMED = /(?:pinned|proved) by ([\w./-]+\.test\.ts)(?:: "([^"]+)")?/gi

/** The test that `name` means to `file`: beside it, or from the root. */
function testOf(file: string, name: string): string | null {
  const beside = normalize(join(dirname(file), name))
  if (PRESENT.has(beside)) return beside
  return PRESENT.has(name) ? name : null
}

test('the test that a file names exists, under the title that it names', () => {
  const wrong = offenders(SOURCES, (file) =>
    [...openingOf(file).matchAll(NAMED)].flatMap(([, name = '', title]) => {
      const found = testOf(file, name)
      if (found === null) return [`there is no ${name}`]
      if (title === undefined || names(found, title)) return []
      return [`${name} has no test "${title}"`]
    }),
  )
  assert.deepEqual(wrong, [])
})

/** As a whole text of the file: titles may stand in lists and in other functions than `test`. */
function names(file: string, title: string): boolean {
  const text = read(file).replaceAll(/\\(['"`])/g, '$1')
  return [`'${title}'`, `"${title}"`, `\`${title}\``].some((written) => text.includes(written))
}
