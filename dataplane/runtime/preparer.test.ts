/**
 * Text of a table made into something that runs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeaderTemplate } from '#wire/value'
import { createExpressions } from './expression.ts'
import { constantText, createPreparer, isRefused } from './preparer.ts'

const prepare = createPreparer(createExpressions())

function template(name: string, value: HeaderTemplate['value']): HeaderTemplate {
  return { name, value, onFailure: 'remove' }
}

test('text without expressions is a constant, and checked as one', () => {
  const constant = prepare.header(template('x-a', ['one ', 'two']))
  assert.deepEqual(constant, { name: 'x-a', value: 'one two', onFailure: 'remove' })
  assert.ok(isRefused(prepare.header(template('x-a', ['a\r\nSet-Cookie: b']))))
  assert.ok(isRefused(prepare.header(template('x-a', ['a'.repeat(5_000)]))))
  assert.equal(constantText(['a', { expr: 'b' }]), null)
})

test('edits are arranged for the request: every spelling of what is replaced goes', () => {
  const edits = prepare.headerEdits({
    remove: ['x-gone'],
    set: [template('x-set', ['1'])],
    add: [template('x-add', [{ expr: 'request.path' }])],
  })
  assert(!isRefused(edits))
  assert.deepEqual(edits.removed, ['x-gone', 'x-set'])
  assert.deepEqual(edits.removedFolded, ['x-gone', 'x-set'])
  assert.deepEqual(
    edits.added.map(({ name }) => name),
    ['x-set', 'x-add'],
  )
})

test('one header that cannot be prepared refuses the list', () => {
  const list = prepare.headers([template('a', ['1']), template('b', [{ expr: '(' }])])
  assert.ok(isRefused(list))
})
