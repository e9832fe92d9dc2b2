/**
 * The library's own evaluation as the oracle: random expressions over random values give the same
 * value by our closures, or fail on both sides. Where we differ on purpose, it stands here.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  celEnv,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  isCelUint,
  parse,
  plan,
  type CelInput,
  type CelValue as LibraryValue,
} from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import fc from 'fast-check'
import { createBudget } from './budget.ts'
import { equal } from './expression-compare.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import { CelType, doubleOf, intOf, isList, mapOf, typeName, Uint } from './expression-values.ts'
import { createExpressions } from './expression.ts'
import { expressionSource } from './fake/expressions.ts'
import { scopeWith } from './fake/scope.ts'

const env = celEnv({ funcs: strings })
const expressions = createExpressions()

/** What both sides know as variables, in the form of each. */
const VARIABLES: { readonly [name: string]: readonly [CelValue, CelInput] } = {
  i: [7, 7n],
  big: [9007199254740993n, 9007199254740993n],
  d: [1.5, 1.5],
  u: [new Uint(3n), celUint(3n)],
  s: ['a,b😀', 'a,b😀'],
  e: ['', ''],
  b: [true, true],
  n: [null, null],
  l: [
    [1, 2, 3],
    [1n, 2n, 3n],
  ],
  w: [
    ['x', 'yy'],
    ['x', 'yy'],
  ],
  m: [
    { k: 1, s: 'v', l: [1] },
    new Map<string, CelInput>([
      ['k', 1n],
      ['s', 'v'],
      ['l', [1n]],
    ]),
  ],
}

const locals = Object.fromEntries(Object.entries(VARIABLES).map(([name, [ours]]) => [name, ours]))
const bindings = Object.fromEntries(
  Object.entries(VARIABLES).map(([name, [, theirs]]) => [name, theirs]),
)

test('random expressions evaluate as the library evaluates them', () => {
  const seen = { values: 0, failures: 0 }
  fc.assert(
    fc.property(expressionSource, (text) => {
      const ours = evaluated(text)
      if (ours === undefined) return
      const theirs = library(text)
      if (isDeviation(text, ours, theirs)) return
      if (ours instanceof ExpressionFailure) seen.failures++
      else seen.values++
      assert.equal(shown(ours), shown(theirs), text)
      if (ours instanceof ExpressionFailure || theirs instanceof ExpressionFailure) return
      assert.ok(same(ours, theirs), text)
    }),
    { numRuns: 5000 },
  )
  assert.ok(seen.values > 1000 && seen.failures > 500, JSON.stringify(seen))
})

/** Undefined where it is refused: `x` is a name only inside a macro, and those nest only so deep. */
function evaluated(text: string): CelValue | ExpressionFailure | undefined {
  const prepared = expressions.prepare(text, Object.keys(VARIABLES))
  return 'kind' in prepared ? undefined : prepared.evaluate(scopeWith({ locals }))
}

function library(text: string): CelValue | ExpressionFailure {
  const value = plan(env, parse(text))(bindings)
  return isCelError(value) ? new ExpressionFailure(value.message) : converted(value)
}

function converted(value: LibraryValue): CelValue | ExpressionFailure {
  if (typeof value === 'bigint') return intOf(value)
  if (typeof value === 'number') return doubleOf(value)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if (isCelUint(value)) return new Uint(value.value)
  if (isCelList(value)) return allOf([...value].map(converted))
  if (isCelMap(value)) return mapFrom([...value])
  return 'name' in value ? new CelType(value.name) : new ExpressionFailure('a message')
}

function allOf(values: readonly (CelValue | ExpressionFailure)[]): CelValue | ExpressionFailure {
  return values.find((value) => value instanceof ExpressionFailure) ?? values.filter(isValue)
}

function isValue(value: CelValue | ExpressionFailure): value is CelValue {
  return !(value instanceof ExpressionFailure)
}

function mapFrom(entries: readonly (readonly [LibraryValue, LibraryValue])[]): CelValue {
  const made = entries.map(([key, value]) => ({ key: only(key), value: only(value) }))
  return mapOf(made) ?? 'a broken map'
}

function only(value: LibraryValue): CelValue {
  const made = converted(value)
  return isValue(made) ? made : null
}

function shown(value: CelValue | ExpressionFailure): string {
  return value instanceof ExpressionFailure ? 'failure' : typeName(value)
}

function same(ours: CelValue, theirs: CelValue): boolean {
  if (typeof ours === 'number' && Number.isNaN(ours)) return Number.isNaN(theirs)
  if (isList(ours) && isList(theirs)) {
    return ours.length === theirs.length && ours.every((v, i) => same(v, theirs[i] ?? null))
  }
  return equal(ours, theirs, createBudget())
}

/** On purpose: doubles and ints mix in arithmetic, and only texts of numbers become numbers. */
function isDeviation(
  text: string,
  ours: CelValue | ExpressionFailure,
  theirs: CelValue | ExpressionFailure,
): boolean {
  // the library does not find a key whose value is null
  if (/ in /.test(text) && /\bn\b|null/.test(text)) return true
  const mixes = /[-+*/%]/.test(text) && /d|\.\d/.test(text)
  if (mixes && theirs instanceof ExpressionFailure && isValue(ours)) return true
  return ours instanceof ExpressionFailure && ours.reason === 'a text is not a number'
}
