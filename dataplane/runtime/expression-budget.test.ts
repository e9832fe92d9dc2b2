/**
 * No expression runs away: whatever loops or grows is stopped, and the whole then fails.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXHAUSTED } from './budget.ts'
import { isFailure, type CelValue, type ExpressionFailure } from './expression-types.ts'
import { createExpressions } from './expression.ts'
import { scopeWith } from './fake/scope.ts'

const expressions = createExpressions()
const locals = {
  l: Array.from({ length: 150 }, (_, i) => i),
  long: Array.from({ length: 5000 }, (_, i) => i),
  text: 'x'.repeat(300_000),
  other: ['x'.repeat(150_000), 'x'.repeat(150_000)].join(''),
  map: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
  map2: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
  words: Array.from({ length: 150 }, () => 'x'.repeat(1000)),
}

function evaluate(source: string): CelValue | ExpressionFailure {
  const prepared = expressions.prepare(source, Object.keys(locals))
  assert.ok(!('kind' in prepared), source)
  return prepared.evaluate(scopeWith({ locals }))
}

test('a nested macro over 150 elements stops within its budget', () => {
  assert.equal(evaluate('l.map(a, l.map(b, a * b))'), EXHAUSTED)
  assert.equal(evaluate('l.all(a, l.exists(b, b == 149))'), EXHAUSTED)
  assert.equal(evaluate('long.filter(x, x > 1).size()'), EXHAUSTED)
  assert.equal(isFailure(evaluate('l.map(a, a * 2)')), false)
})

test('what grows is stopped', () => {
  const growing = [
    'text + text + text + text',
    'text.replace("x", "xxxxxxxx")',
    'text.replace("", "----")',
    'text.split("")',
    'l.map(a, text)[0] + l.map(a, text + "y")[1]',
    'words.map(w, words.join("-")).size()',
    '"%s%s%s%s".format([text, text, text, text])',
    'l.map(a, bytes(text)).size()',
    'l.map(a, text.upperAscii()).size()',
    'l.map(a, text.reverse()).size()',
    'l.map(a, strings.quote(text)).size()',
    'l.map(a, long + long).size()',
  ]
  for (const source of growing) assert.ok(evaluate(source) === EXHAUSTED, source)
})

test('what is read again and again is stopped', () => {
  const reading = [
    'l.all(a, text.contains("y") == false)',
    'l.all(a, !(("y" + string(a)) in words) && long == long.map(x, x))',
    'l.map(a, size(text)).size() + l.map(a, text.indexOf("y")).size()',
    'l.all(a, request.time.getHours("Europe/Berlin") >= 0)',
    'l.map(a, "%f".format([1.5])).size()',
    'l.all(a, text == other)',
    'text.lastIndexOf("xxxxxxxxxxxxxxxxxy") == 0',
    'l.map(a, l.map(b, request.query)).size()',
    'l.all(a, size(map) > 0)',
    'l.all(a, map.exists(k, true))',
    'l.all(a, map == map.map(k, k))',
    'l.all(a, [map, 1] == [map2, 1])',
  ]
  for (const source of reading) assert.ok(evaluate(source) === EXHAUSTED, source)
})

test('a spent budget is a failure whatever the rest decides, and the next evaluation has its own', () => {
  assert.equal(evaluate('true || l.map(a, l.map(b, a)).size() > 0'), true)
  assert.equal(evaluate('l.map(a, l.map(b, a)).size() > 0 || true'), EXHAUSTED)
  assert.equal(evaluate('value(l.map(a, l.map(b, a)), 1)'), EXHAUSTED)
  assert.equal(evaluate('has({"a": l.map(a, l.map(b, a))}.a)'), EXHAUSTED)
  assert.equal(evaluate('1 + 1'), 2)
})

test('the slowest of these takes milliseconds', () => {
  const started = process.hrtime.bigint()
  for (let i = 0; i < 10; i++) evaluate('l.map(a, l.map(b, a * b))')
  const ms = Number(process.hrtime.bigint() - started) / 1e6
  assert.ok(ms < 1000, `${ms} ms for ten`)
})
