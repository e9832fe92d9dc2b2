/**
 * Values and their numbers: which is an int, which a double, and that neither loses anything.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createBudget } from './budget.ts'
import {
  add,
  calculate,
  negate,
  subtract,
  type Operator,
  type Result,
} from './expression-arithmetic.ts'
import { equal } from './expression-compare.ts'
import { isFailure, type CelValue } from './expression-types.ts'
import {
  CelMap,
  CelType,
  Double,
  Duration,
  intOf,
  JsonText,
  lookUp,
  mapOf,
  Timestamp,
  typeName,
  Uint,
} from './expression-values.ts'

test('every value knows its CEL type', () => {
  const types: readonly (readonly [CelValue, string])[] = [
    [null, 'null_type'],
    [true, 'bool'],
    [5, 'int'],
    [2n ** 60n, 'int'],
    [1.5, 'double'],
    [2 ** 60, 'double'],
    [Number.NaN, 'double'],
    [new Double(5), 'double'],
    [new Uint(5n), 'uint'],
    ['a', 'string'],
    [Uint8Array.of(1), 'bytes'],
    [[], 'list'],
    [{}, 'map'],
    [Object.create(null), 'map'],
    [new CelMap(new Map()), 'map'],
    [new JsonText('5.0', new Double(5)), 'double'],
    [new CelType('int'), 'type'],
    [new Timestamp(0, 0), 'google.protobuf.Timestamp'],
    [new Duration(0n), 'google.protobuf.Duration'],
  ]
  for (const [value, type] of types) assert.equal(typeName(value), type)
})

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer({ min: -10, max: 10 }).map(BigInt),
  fc.constantFrom(2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)),
)

const EXACT = {
  '+': (a: bigint, b: bigint) => a + b,
  '-': (a: bigint, b: bigint) => a - b,
  '*': (a: bigint, b: bigint) => a * b,
  '/': (a: bigint, b: bigint) => a / b,
  '%': (a: bigint, b: bigint) => a % b,
}

/** The plain twin: 64 bits, or a failure. */
function twin(operator: Operator, a: bigint, b: bigint): bigint | 'failure' {
  if (b === 0n && '/%'.includes(operator)) return 'failure'
  const value = EXACT[operator](a, b)
  return BigInt.asIntN(64, value) === value ? value : 'failure'
}

function ours(operator: Operator, a: number | bigint, b: number | bigint): Result {
  if (operator === '+') return add(a, b, createBudget())
  return operator === '-' ? subtract(a, b) : calculate(operator, a, b)
}

test('integers are exact to the last of 64 bits', () => {
  const operators = fc.constantFrom<Operator[]>('+', '-', '*', '/', '%')
  fc.assert(
    fc.property(int64, int64, operators, (a, b, operator) => {
      const value = ours(operator, intOf(a), intOf(b))
      const expected = twin(operator, a, b)
      if (expected === 'failure') assert.ok(isFailure(value))
      else assert.equal(value, intOf(expected))
    }),
    { numRuns: 2000 },
  )
  assert.equal(negate(intOf(2n ** 63n - 1n)), intOf(1n - 2n ** 63n))
  assert.ok(isFailure(negate(intOf(-(2n ** 63n)))))
})

test('numbers of all types are equal by value, and one key of a map', () => {
  const budget = createBudget()
  const ones: readonly CelValue[] = [1, new Double(1), new Uint(1n), new Double(1, '1.0')]
  for (const one of ones) {
    for (const other of ones) assert.ok(equal(one, other, budget))
  }
  assert.ok(!equal(Number.NaN, Number.NaN, budget))
  assert.ok(!equal(2n ** 53n + 1n, 2 ** 53, budget))
  const map = mapOf([{ key: 1, value: 'one' }])
  assert.ok(map !== null)
  assert.equal(lookUp(map, 1), 'one')
  assert.equal(mapOf([...ones.slice(0, 1), new Uint(1n)].map((key) => ({ key, value: 0 }))), null)
})

test('a map keeps the order in which it was written', () => {
  const map = mapOf(['b', '10', '__proto__', '2'].map((key) => ({ key, value: key })))
  assert.ok(map instanceof CelMap)
  assert.deepEqual([...map.entries.keys()], ['b', '10', '__proto__', '2'])
  assert.equal(lookUp(map, '__proto__'), '__proto__')
  assert.equal(lookUp({}, '__proto__'), undefined)
  assert.equal(lookUp({}, 'toString'), undefined)
})
