/**
 * How code reads, executed: what the linter and the compiler cannot see (STYLE.md, section 3).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { barest, offenders, openingOf, PRODUCT, read, SOURCES } from './source.ts'

test('the two stories fit on one screen each', () => {
  for (const file of ['controller/compile/compile.ts', 'dataplane/request/serve.ts']) {
    assert.ok(read(file).split('\n').length <= 101, `${file} is longer than 100 lines`)
  }
})

test('every source file opens with a comment that says what it is for', () => {
  const wrong = SOURCES.filter((file) => !/^\S/.test(openingOf(file)))
  assert.deepEqual(wrong, [])
})

test('no mutable state at module level', () => {
  const wrong = offenders(PRODUCT, (file) => read(file).match(/(?:^|\n)(?:export )?let \w+/g) ?? [])
  assert.deepEqual(wrong, [])
})

test('names say what a thing is: kebab-case, and never utils', () => {
  const vague = /(^|\/)(utils?|helpers?|common|misc|manager|index)(\.|\/)/
  const wrong = SOURCES.filter((file) => vague.test(file) || !/^[a-z0-9./-]+$/.test(file))
  assert.deepEqual(wrong, [])
})

test('no default exports, no re-exports, no enums', () => {
  const banned =
    /(?:^|\n)export (default|\*|(type )?\{[^}]*\} from)|(?:^|\n)(export )?(const )?enum /g
  assert.deepEqual(
    offenders(PRODUCT, (file) => read(file).match(banned) ?? []),
    [],
  )
})

test('notes to self carry a reason or are not there', () => {
  const note = new RegExp(`\\b(${['TO', 'DO|FIX', 'ME|XX', 'X|HA', 'CK'].join('')})\\b`, 'g')
  assert.deepEqual(
    offenders(SOURCES, (file) => read(file).match(note) ?? []),
    [],
  )
})

/** Files that may say what a value is: there are none, decoders prove it with type predicates. */
const ASSERTS_TYPES: readonly string[] = []

test('no type is asserted that the compiler has not seen: `as` is `as const`', () => {
  const files = PRODUCT.filter((file) => !ASSERTS_TYPES.includes(file))
  const wrong = offenders(files, (file) => {
    const code = barest(file).replaceAll(/(?:^|\n)(import|export)\s[^;'`=]*?\sfrom\s/g, '\n')
    return code.match(/[\w)\]}>'`] as (?!const\b)\w[^\n;]{0,40}/g) ?? []
  })
  assert.deepEqual(wrong, [])
})
