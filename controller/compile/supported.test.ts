/**
 * The table of fields that are not supported yet, entry by entry.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldPath } from './problem.ts'
import { NOT_SUPPORTED_YET, type NotYet, notSupportedYet, type Part } from './supported.ts'

/** A value that uses the field: `{ a: { entry: { b: … } } }` for `a.*.b`. */
function using(field: NotYet, value: unknown): unknown {
  return field.path
    .split('.')
    .toReversed()
    .reduce<unknown>((inner, step) => ({ [step === '*' ? 'entry' : step]: inner }), value)
}

const PARTS: readonly (readonly [Part, readonly NotYet[]])[] = [
  ['gateway', NOT_SUPPORTED_YET.gateway],
  ['route', NOT_SUPPORTED_YET.route],
  ['rule', NOT_SUPPORTED_YET.rule],
  ['authPart', NOT_SUPPORTED_YET.authPart],
  ['limitPart', NOT_SUPPORTED_YET.limitPart],
  ['consumer', NOT_SUPPORTED_YET.consumer],
]

test('every field of the table gives NotSupportedYet at its own path', () => {
  for (const [part, fields] of PARTS) {
    for (const field of fields) {
      const value = using(field, field.values?.[0] ?? {})
      const found = notSupportedYet(part, value, new FieldPath('spec'))
      const path = `spec.${field.path.replace('*', 'entry')}`
      const own = found.find((problem) => problem.path === path)
      assert.ok(own !== undefined, `${part} ${field.path}: ${JSON.stringify(found)}`)
      assert.equal(own.reason, 'NotSupportedYet')
      assert.equal(own.severity, 'failure')
      assert.ok(own.sentence.endsWith(field.instead))
    }
  }
})

test('only the values that are not supported are told', () => {
  const limits = { exact: { accuracy: 'exact' }, local: { accuracy: 'local' }, none: {} }
  const found = notSupportedYet(
    'limitPart',
    { limits, onStoreFailure: 'local' },
    new FieldPath('s'),
  )
  assert.deepEqual(
    found.map(({ path }) => path),
    ['s.limits.exact.accuracy'],
  )
})

test('items of lists are told by their number', () => {
  const identities = [{ issuer: 'x' }, { certificate: { san: 'x' } }]
  const found = notSupportedYet('consumer', { identities }, new FieldPath('spec'))
  assert.deepEqual(
    found.map(({ path }) => path),
    ['spec.identities[1].certificate'],
  )
})
