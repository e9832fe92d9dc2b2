/**
 * What users look up in docs/ is what the code knows, and nothing else. Metrics and the access log
 * are held beside their sources (dataplane/metrics.test.ts, dataplane/log.test.ts), flags in
 * controller/cli/settings.test.ts, causes in dataplane/request/failure.test.ts.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CONDITION_REASONS, CONDITION_TYPES } from '../crds/condition.ts'
import { scopeWith } from '../dataplane/runtime/fake/scope.ts'
import { prepareExpression } from '../dataplane/runtime/expression.ts'
import { BOUNDS } from '../dataplane/front/http1.ts'
import * as http2Limits from '../dataplane/front/http2-limits.ts'
import * as limits from '../dataplane/wire/limits.ts'
import { CALL_FIELDS, FIELDS, FUNCTIONS, MACROS, PLACES } from '../dataplane/wire/vocabulary.ts'

const root = join(import.meta.dirname, '..')

function pageOf(name: string): string {
  return readFileSync(join(root, 'docs', name), 'utf8')
}

/** Of one heading of a page, or of all of it: the cells of each row, whose first is code. */
function rowsOf(page: string, heading?: string): string[][] {
  const text = pageOf(page)
  const part = heading === undefined ? text : (text.split(`\n## ${heading}\n`)[1] ?? '')
  const rows = part.split('\n## ')[0]?.match(/^\| `.*\|$/gm) ?? []
  return (heading === undefined ? (text.match(/^\| `.*\|$/gm) ?? []) : rows).map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\|)\|(?!\|)/)
      .map((cell) => cell.trim()),
  )
}

function code(cell: string | undefined): string {
  return /^`(.*)`$/.exec(cell ?? '')?.[1] ?? ''
}

function firstColumn(page: string, heading?: string): string[] {
  return rowsOf(page, heading).map(([cell]) => code(cell))
}

test('docs/status.md and crds/condition.ts name the same reasons', () => {
  assert.deepEqual(firstColumn('status.md').toSorted(), [...CONDITION_REASONS].toSorted())
  const text = pageOf('status.md')
  for (const type of CONDITION_TYPES) assert.match(text, new RegExp(`^## ${type}: `, 'm'))
})

// ---- limits ---------------------------------------------------------------------------------

function shownBytes(value: number): string {
  if (value % 1_048_576 === 0) return `${value / 1_048_576} MiB`
  return value % 1_024 === 0 ? `${value / 1_024} KiB` : `${value} bytes`
}

function shownTime(value: number): string {
  if (value % 86_400_000 === 0) return `${value / 86_400_000} days`
  return value % 1_000 === 0 ? `${value / 1_000} s` : `${value.toLocaleString('en')} ms`
}

function shown(name: string, value: number): string {
  if (name.includes('BYTES')) return shownBytes(value)
  return name.includes('_MS') ? shownTime(value) : value.toLocaleString('en')
}

const LIMITS: ReadonlyMap<string, string> = new Map(
  Object.entries(limits).map(([name, value]) => [name, shown(name, value)]),
)

test('docs/limits.md has every limit of the contract with its value and a reason, and no other', () => {
  const rows = rowsOf('limits.md')
  const documented = rows.map(([name, value]) => `${code(name)} ${value}`)
  const known = [...LIMITS].map(([name, value]) => `${name} ${value}`)
  assert.deepEqual(documented.toSorted(), known.toSorted())
  for (const [name = '', , reason = ''] of rows) assert.match(reason, /\.$/, name)
})

test('docs/protocols.md has every bound of HTTP/2 with its value', () => {
  const rows = rowsOf('protocols.md', 'Bounds of one HTTP/2 connection')
  const documented = rows.map(([name, value]) => `${code(name)} ${value}`)
  const known = Object.entries(http2Limits).map(([name, value]) => `${name} ${shown(name, value)}`)
  assert.deepEqual(documented.toSorted(), known.toSorted())
  for (const [name = '', , reason = ''] of rows) assert.match(reason, /\.$/, name)
})

test('docs/protocols.md has every bound of HTTP/1 with its value', () => {
  const rows = rowsOf('protocols.md', 'Bounds of one HTTP/1 connection')
  const documented = rows.map(([name, value]) => `${code(name)} ${value}`)
  const { headCheckEveryMs: _, ...bounds } = BOUNDS
  const known = Object.entries(bounds).map(([name, value]) => {
    return `${name} ${name.endsWith('Ms') ? `${value / 1_000} s` : value.toLocaleString('en-US')}`
  })
  assert.deepEqual(documented.toSorted(), known.toSorted())
})

test('the budgets of docs/expressions.md are the limits of the contract', () => {
  const rows = rowsOf('expressions.md', 'Budgets')
  for (const [name = '', value] of rows) assert.equal(value, LIMITS.get(code(name)), name)
  const documented = rows.map(([name]) => code(name))
  const budgets = [...LIMITS.keys()].filter((name) =>
    /^(EXPR|EVAL|COMPREHENSION|PATTERN)/.test(name),
  )
  assert.deepEqual(
    budgets.filter((name) => !documented.includes(name)),
    [],
  )
})

// ---- expressions ----------------------------------------------------------------------------

test('docs/expressions.md offers at each place what the vocabulary offers there', () => {
  const heading = 'Where, and what may be read there'
  const documented = rowsOf('expressions.md', heading).map(([place, variables]) => [
    code(place),
    variables?.split(', ').map(code),
  ])
  assert.deepEqual(documented, Object.entries(PLACES))
})

test('docs/expressions.md and the vocabulary name the same variables, with their types', () => {
  const documented = rowsOf('expressions.md', 'Variables').map(([name, type]) => [code(name), type])
  const fields = Object.entries({ ...FIELDS, 'calls.NAME': CALL_FIELDS }).flatMap(([of, all]) =>
    Object.entries(all).map(([name, type]) => [`${of}.${name}`, type]),
  )
  assert.deepEqual(documented, fields)
})

test('docs/expressions.md and the vocabulary name the same functions, and each example is true', () => {
  const rows = rowsOf('expressions.md', 'Functions')
  const names = [...Object.keys(FUNCTIONS), ...Object.keys(MACROS)]
  assert.deepEqual(rows.map(([name]) => code(name)).toSorted(), names.toSorted())
  for (const [name, , example] of rows) {
    const source = code(example)
    assert.ok(source.includes(code(name)), `${name} has an example of something else`)
    const prepared = prepareExpression(source)
    assert.ok('test' in prepared, source)
    assert.equal(prepared.test(scopeWith({})), 'true', source)
  }
})
