/**
 * Templates: every value, in every place, is a value and nothing more.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Template } from '#wire/value'
import { isFailure, type CelValue, type PreparedTemplate, type Scope } from './expression-types.ts'
import { CelMap, Double, JsonText } from './expression-values.ts'
import { createExpressions } from './expression.ts'
import { scopeWith } from './fake/scope.ts'
import { toJson } from './json-write.ts'
import type { Refused } from './prepare.ts'
import { encodeQueryValue, encodeSegment, headerText } from './template-text.ts'
import {
  prepareHeaderValue,
  prepareQueryPart,
  prepareSegment,
  prepareTemplate,
  prepareTree,
} from './template.ts'

const expressions = createExpressions()
const HOLE: Template = [{ expr: 'v' }]

type Prepare = typeof prepareTemplate

function rendered(prepare: Prepare, template: Template, v: CelValue): string | null {
  const made = prepare(template, expressions, ['v'])
  assert.ok(isPrepared(made))
  const text = made.render(withValue(v))
  return isFailure(text) ? null : text
}

function isPrepared(made: PreparedTemplate | Refused): made is PreparedTemplate {
  return !('kind' in made)
}

function withValue(v: CelValue): Scope {
  return scopeWith({ locals: { v } })
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('/', '..', '.', '', '?a=b', '#', 'a&b=c', '%2F', '\r\nx: y', '\u0085', '\ud800'),
)

test('no value becomes structure of a path, a query or a header', () => {
  fc.assert(
    fc.property(text, (value) => {
      const segment = rendered(prepareSegment, HOLE, value)
      if (segment !== null) {
        assert.match(segment, /^(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})+$/)
        assert.ok(segment !== '.' && segment !== '..')
        assert.equal(decodeURIComponent(segment), value)
        const url = new URL(`http://h/a/${segment}/b`)
        assert.equal(url.pathname.split('/').length, 4)
      }
      const part = rendered(prepareQueryPart, HOLE, value)
      if (part !== null) {
        const url = new URL(`http://h/?x=${part}&y=1`)
        assert.deepEqual(
          [...url.searchParams],
          [
            ['x', value],
            ['y', '1'],
          ],
        )
      }
      const header = rendered(prepareHeaderValue, ['p-', ...HOLE], value)
      if (header !== null) assert.match(header, /^[\u0020-\u007e]*$/)
    }),
    { numRuns: 1000 },
  )
})

test('values that are no segment fail, and a query value may be empty', () => {
  for (const value of ['', '.', '..', null, [], {}, '\ud800', 'x'.repeat(9000)]) {
    assert.ok(isFailure(encodeSegment(value)))
    assert.equal(rendered(prepareSegment, ['a', ...HOLE], value), null)
  }
  assert.equal(encodeQueryValue(''), '')
  assert.equal(encodeSegment("a b/ü!'()*"), 'a%20b%2F%C3%BC%21%27%28%29%2A')
  assert.equal(encodeSegment(9007199254740993n), '9007199254740993')
  assert.equal(encodeSegment(true), 'true')
  assert.equal(encodeSegment(new Double(12.5, '12.50')), '12.50')
  assert.equal(rendered(prepareSegment, ['%41-', ...HOLE, '.json'], 'a/b'), '%41-a%2Fb.json')
})

test('header values are texts, numbers and bools without control characters, and not too long', () => {
  assert.equal(headerText('plain, text'), 'plain, text')
  assert.equal(headerText(5), '5')
  assert.equal(headerText(false), 'false')
  assert.equal(headerText('käse 😀'), 'k%C3%A4se %F0%9F%98%80')
  for (const value of ['a\r\nb', 'a\0', '\t', '\u007f', '\u0085', null, [], {}, '\ud800']) {
    assert.ok(isFailure(headerText(value)), JSON.stringify(value))
  }
  assert.equal(rendered(prepareHeaderValue, HOLE, 'x'.repeat(4096))?.length, 4096)
  assert.equal(rendered(prepareHeaderValue, HOLE, 'x'.repeat(4097)), null)
  assert.equal(rendered(prepareHeaderValue, HOLE, 'é'.repeat(1000)), null)
  assert.equal(rendered(prepareHeaderValue, ['x'.repeat(4000), ...HOLE], 'x'.repeat(100)), null)
  const made = prepareHeaderValue(['a\nb'], expressions)
  assert.equal('kind' in made ? made.kind : '', 'refused')
})

test('a template that is one hole keeps the type, and text in a text is text', () => {
  const single = prepareTemplate(HOLE, expressions, ['v'])
  assert.ok(isPrepared(single))
  assert.deepEqual(single.value(withValue([1, 2])), [1, 2])
  assert.equal(rendered(prepareTemplate, HOLE, [1, { a: null }]), '[1,{"a":null}]')
  const mixed = (v: CelValue): string | null => rendered(prepareTemplate, ['<', ...HOLE, '>'], v)
  assert.equal(mixed('a'), '<a>')
  assert.equal(mixed(5), '<5>')
  assert.equal(mixed(null), '<null>')
  assert.equal(mixed({ a: 1 }), '<{"a":1}>')
  const failing = prepareTemplate(['a', { expr: 'auth.claims.none' }], expressions)
  assert.ok(isPrepared(failing))
  assert.ok(isFailure(failing.render(scopeWith({}))))
  assert.ok(isFailure(failing.value(scopeWith({}))))
})

test('a tree is filled with values of their own types', () => {
  const tree = prepareTree(
    {
      kind: 'object',
      fields: [
        { name: 'id', tree: { kind: 'template', template: HOLE } },
        { name: 'note', tree: { kind: 'template', template: ['n-', ...HOLE] } },
        { name: 'fixed', tree: { kind: 'value', value: { a: [1] } } },
        { name: 'list', tree: { kind: 'list', items: [{ kind: 'template', template: HOLE }] } },
      ],
    },
    expressions,
    ['v'],
  )
  assert.ok(!('kind' in tree))
  const expected = { id: 7, note: 'n-7', fixed: { a: [1] }, list: [7] }
  assert.deepEqual(tree.fill(withValue(7)), expected)
  assert.ok(isFailure(tree.fill(scopeWith({}))))
})

test('fields stay in the order in which they were written', () => {
  const fields = ['b', '10', '2'].map((name) => ({
    name,
    tree: { kind: 'template' as const, template: HOLE },
  }))
  const tree = prepareTree({ kind: 'object', fields }, expressions, ['v'])
  assert.ok(!('kind' in tree))
  const filled = tree.fill(withValue(1))
  assert.ok(filled instanceof CelMap)
  assert.equal(toJson(filled), '{"b":1,"10":1,"2":1}')
})

test('a document that passes through whole is written as it came', () => {
  const body = new JsonText('{ "n": 1.50, "2": 0, "1": 0 }', { n: 1.5 })
  const tree = prepareTree(
    { kind: 'object', fields: [{ name: 'x', tree: { kind: 'template', template: HOLE } }] },
    expressions,
    ['v'],
  )
  assert.ok(!('kind' in tree))
  const filled = tree.fill(withValue(body))
  assert.ok(!isFailure(filled))
  assert.equal(toJson(filled), '{"x":{ "n": 1.50, "2": 0, "1": 0 }}')
})

test('what cannot be prepared is refused with its reason', () => {
  const made = prepareTemplate(['a', { expr: 'nothing' }], expressions)
  assert.deepEqual(made, { kind: 'refused', because: 'there is no nothing' })
  const list = prepareTree(
    { kind: 'list', items: [{ kind: 'template', template: [{ expr: '1 +' }] }] },
    expressions,
  )
  assert.equal('kind' in list ? list.kind : '', 'refused')
})
