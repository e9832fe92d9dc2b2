/**
 * Proves which trace contexts are passed on.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { traceContext } from './trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const VALID = `00-${TRACE}-${PARENT}-01`

function judged(...lines: readonly string[]): string {
  return traceContext(lines.flatMap((line) => ['Traceparent', line]))
}

test('a trace context is valid as the specification says', () => {
  assert.equal(judged(VALID), 'valid')
  assert.equal(judged(`00-${TRACE}-${PARENT}-00`), 'valid')
  assert.equal(judged(`cc-${TRACE}-${PARENT}-01-what-will-be`), 'valid', 'a later version')
  const wrong = [
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    VALID.toUpperCase(),
    `${VALID} `,
    `cc-${TRACE}-${PARENT}-01more`,
    '',
  ]
  for (const line of wrong) assert.equal(judged(line), 'invalid', line)
})

test('none, or two, is no trace context', () => {
  assert.equal(judged(), 'none')
  assert.equal(judged(VALID, VALID), 'invalid')
  assert.equal(judged(VALID, 'x', 'y'), 'invalid')
  assert.equal(traceContext(['tracestate', 'a=1']), 'invalid')
  assert.equal(traceContext(['tracestate', 'a=1', 'traceparent', VALID]), 'valid')
})

test('what is accepted is what a plain reading of the rules accepts', () => {
  const hex = fc.constantFrom(...Array.from('0123456789abcdef0A-g '))
  const part = (length: number): fc.Arbitrary<string> =>
    fc.oneof(
      fc.array(hex, { minLength: length - 1, maxLength: length + 1 }).map((all) => all.join('')),
      fc.constantFrom('0'.repeat(length), 'f'.repeat(length), '1'.repeat(length)),
    )
  const text = fc
    .tuple(part(2), part(32), part(16), part(2), fc.constantFrom('', '-', '-x', 'x'))
    .map(([version, trace, parent, flags, end]) => `${version}-${trace}-${parent}-${flags}${end}`)
  fc.assert(
    fc.property(text, (value) => {
      assert.equal(judged(value), plainly(value) ? 'valid' : 'invalid')
    }),
  )
})

/** The rules one after the other. */
function plainly(value: string): boolean {
  const [known, more] = [value.split('-').slice(0, 4), value.split('-').slice(4)]
  if (known.map((part) => part.length).join() !== '2,32,16,2') return false
  const isHex = Array.from(known.join('')).every((one) => '0123456789abcdef'.includes(one))
  if (!isHex || known[0] === 'ff') return false
  if (known[0] === '00' && more.length > 0) return false
  return known.slice(1, 3).every((id) => /[^0]/.test(id))
}
