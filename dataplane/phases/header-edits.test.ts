/**
 * Header templates at request time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeExchange } from '../../test/fake/exchange.ts'
import {
  ExpressionFailure,
  type PreparedTemplate,
  type Scope,
} from '../runtime/expression-types.ts'
import { editedHeaders, pushHeaders } from './header-edits.ts'

const scope: Scope = { exchange: fakeExchange().exchange, caller: null, calls: null, locals: null }

function template(text: string | ExpressionFailure): PreparedTemplate {
  return { render: () => text, value: () => text }
}
const FAILING = template(new ExpressionFailure('absent'))

test('what set replaces is gone, what add gives comes last', () => {
  const headers = ['Server', 'x', 'Vary', 'a', 'vary', 'b', 'X-Keep', '1']
  const edited = editedHeaders(
    headers,
    {
      removed: ['server', 'vary'],
      removedFolded: [],
      added: [
        { name: 'vary', value: 'c', onFailure: 'remove' },
        { name: 'x-keep', value: template('2'), onFailure: 'remove' },
      ],
    },
    scope,
  )
  assert.deepEqual(edited, ['X-Keep', '1', 'vary', 'c', 'x-keep', '2'])
})

test("a value that cannot be computed is never the client's", () => {
  const edits = {
    removed: ['x-tenant'],
    removedFolded: ['x-tenant'],
    added: [{ name: 'x-tenant', value: FAILING, onFailure: 'remove' as const }],
  }
  assert.deepEqual(editedHeaders(['X-Tenant', 'client'], edits, scope), [])
})

test('a required value that cannot be computed is a failure', () => {
  const headers: string[] = []
  const failure = pushHeaders(
    headers,
    [{ name: 'x-tenant', value: FAILING, onFailure: 'refuse' }],
    scope,
  )
  assert.equal(failure?.cause, 'header-missing')
})
