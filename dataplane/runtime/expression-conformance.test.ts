/**
 * CEL's own test data (cel-spec), evaluated by our closures: every case of the suites that concern
 * us passes, or stands here with the reason why it cannot.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js'
import { createBudget } from './budget.ts'
import { equal } from './expression-compare.ts'
import { parseDuration, parseTimestamp } from './expression-time.ts'
import { ExpressionFailure, type CelValue, type Scope } from './expression-types.ts'
import { CelType, doubleOf, intOf, isList, mapOf, typeName, Uint } from './expression-values.ts'
import { createExpressions } from './expression.ts'
import { scopeWith } from './fake/scope.ts'

/** Suites that are left out whole. */
const SKIPPED_SUITES: { readonly [suite: string]: string } = {
  dynamic: 'protobuf wrappers; there are no messages in a gateway',
  enums: 'protobuf enums',
  proto2: 'protobuf messages',
  proto2_ext: 'protobuf extensions',
  proto3: 'protobuf messages',
  wrappers: 'protobuf wrappers',
  optionals: 'optional values are not offered; has and value stand for them',
  math_ext: 'the math extension is not offered',
  encoders_ext: 'the encoders extension is not offered',
  bindings_ext: 'cel.bind is not offered',
  block_ext: 'cel.block is for optimisers',
  macros2: 'macros with two variables are not offered',
}

/** Cases that are left out, by their text or their name. */
const SKIPPED_CASES: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/TestAllTypes|google\.protobuf\.[A-Z][A-Za-z0-9]*\{/, 'makes a protobuf message'],
  [/^namespace\/|qualified_ident|ident_with_longest|unchecked$/, 'there are no namespaces'],
  [/map_field_select$/, 'a dotted name is a variable with fields, never one name'],
  [/`/, 'the parser does not know quoted fields; a["b"] says the same'],
  [/unbound_is_runtime_error|receiver_function_names\//, 'unknown names are refused before'],
  [/fp_math\/mod_not_support/, '% is defined for doubles too, because JSON mixes them with ints'],
]

/** Every one of these passes; a new release of the data shows up here. */
const PASSED = 1220

interface Case {
  readonly name: string
  readonly expr: string
  readonly original: { readonly [field: string]: unknown }
}

type Suite = typeof tests

function casesOf(suite: Suite, path: readonly string[]): Case[] {
  const own = (suite.tests ?? []).map(({ original }) => ({
    name: [...path, original.name ?? ''].join('/'),
    expr: original.expr,
    original,
  }))
  const inner = (suite.suites ?? [])
    .filter(({ name }) => path.length > 0 || !Object.hasOwn(SKIPPED_SUITES, name))
    .flatMap((child) => casesOf(child, [...path, child.name]))
  return [...own, ...inner]
}

function skipReason({ name, expr }: Case): string | null {
  const skipped = SKIPPED_CASES.find(([pattern]) => pattern.test(name) || pattern.test(expr))
  return skipped?.[1] ?? null
}

const CASES = casesOf(tests, []).filter((each) => skipReason(each) === null)

test('CEL’s own test data evaluates as it says', () => {
  const expressions = createExpressions()
  const wrong: string[] = []
  let passed = 0
  for (const each of CASES) {
    const outcome = outcomeOf(each, expressions)
    if (outcome === 'passed') passed++
    if (outcome !== 'passed' && outcome !== 'untold') wrong.push(`${each.name}: ${outcome}`)
  }
  assert.deepEqual(wrong, [])
  assert.equal(passed, PASSED)
})

test('every reason to leave something out is still needed', () => {
  const names = new Set((tests.suites ?? []).map((suite) => suite.name))
  assert.deepEqual(
    Object.keys(SKIPPED_SUITES).filter((name) => !names.has(name)),
    [],
  )
  const all = casesOf(tests, [])
  const unused = SKIPPED_CASES.filter(
    ([pattern]) => !all.some(({ name, expr }) => pattern.test(name) || pattern.test(expr)),
  )
  assert.deepEqual(unused, [])
})

/** `untold`: the case expects what is no value of ours, or only checks types. */
function outcomeOf(each: Case, expressions: ReturnType<typeof createExpressions>): string {
  const { original, expr } = each
  const locals = bindingsOf(original['bindings'])
  const expected = expectedOf(original)
  if (locals === null || expected === undefined) return 'untold'
  const prepared = expressions.prepare(expr, Object.keys(locals))
  const fails = expected instanceof ExpressionFailure
  if ('kind' in prepared) return fails ? 'passed' : `refused: ${prepared.because}`
  const scope: Scope = scopeWith({ locals })
  const value = prepared.evaluate(scope)
  if (value instanceof ExpressionFailure) return fails ? 'passed' : `failed: ${value.reason}`
  if (fails) return `should fail, is a ${typeName(value)}`
  return same(value, expected) ? 'passed' : `is another ${typeName(value)}`
}

/** Of one type and equal; NaN is itself here. */
function same(value: CelValue, expected: CelValue): boolean {
  if (typeName(value) !== typeName(expected)) return false
  if (typeof value === 'number' && Number.isNaN(value)) return Number.isNaN(expected)
  if (!isList(value) || !isList(expected)) return equal(value, expected, createBudget())
  return value.length === expected.length && value.every((v, i) => same(v, expected[i] ?? null))
}

function expectedOf(original: Case['original']): CelValue | ExpressionFailure | undefined {
  if ('evalError' in original) return new ExpressionFailure('expected')
  if ('value' in original) return valueOf(original['value'])
  return 'typedResult' in original || 'anyEvalErrors' in original ? undefined : true
}

function bindingsOf(bindings: unknown): { [name: string]: CelValue } | null {
  const locals: { [name: string]: CelValue } = {}
  for (const [name, binding] of Object.entries(bindings ?? {})) {
    const value = isRecord(binding) ? valueOf(binding['value']) : undefined
    if (value === undefined) return null
    locals[name] = value
  }
  return locals
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null
}

function items(container: unknown, field: string): readonly unknown[] {
  const list = isRecord(container) ? container[field] : undefined
  return Array.isArray(list) ? list : []
}

/** The data's own form of values: `{ "int64Value": "1" }`. Undefined: none of ours. */
function valueOf(data: unknown): CelValue | undefined {
  const [kind, value] = Object.entries(isRecord(data) ? data : {})[0] ?? ['', null]
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  const read = VALUES[kind]
  return read === undefined ? undefined : read(text, value)
}

const VALUES: { [kind: string]: (text: string, value: unknown) => CelValue | undefined } = {
  nullValue: () => null,
  boolValue: (_text, value) => value === true,
  stringValue: (text) => text,
  int64Value: (text) => intOf(BigInt(text)),
  uint64Value: (text) => new Uint(BigInt(text)),
  doubleValue: (text) => doubleOf(Number(text)),
  bytesValue: (text) => Uint8Array.from(Buffer.from(text, 'base64')),
  typeValue: (text) => new CelType(text),
  listValue: (_text, value) => items(value, 'values').map((item) => valueOf(item) ?? null),
  mapValue: (_text, value) =>
    mapOf(
      items(value, 'entries').map((entry) => ({
        key: valueOf(isRecord(entry) ? entry['key'] : null) ?? null,
        value: valueOf(isRecord(entry) ? entry['value'] : null) ?? null,
      })),
    ) ?? undefined,
  objectValue: (_text, value) => timeOf(value),
}

function timeOf(data: unknown): CelValue | undefined {
  if (!isRecord(data) || typeof data['value'] !== 'string') return undefined
  const type = String(data['@type'])
  const time = type.endsWith('.Timestamp')
    ? parseTimestamp(data['value'])
    : parseDuration(data['value'])
  return time instanceof ExpressionFailure ? undefined : time
}
