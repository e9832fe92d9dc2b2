/**
 * `"%s is %d".format([…])` of the strings extension: its clauses are those of CEL's specification,
 * and no value is read beyond what the budget allows.
 * Pinned by expression-conformance.test.ts: "CEL’s own test data evaluates as it says".
 */
import { EXHAUSTED, spendBytes, spendSteps, type Budget } from './budget.ts'
import { noOverload, type Result } from './expression-arithmetic.ts'
import { scalarText } from './expression-convert.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import {
  CelMap,
  CelType,
  isInt,
  isList,
  isMap,
  numeric,
  plain,
  Uint,
  type Plain,
  type PlainMap,
} from './expression-values.ts'

const BAD_CLAUSE = new ExpressionFailure('format: there is no such clause')
const TOO_FEW = new ExpressionFailure('format: there are fewer arguments than clauses')
const TOO_MANY = new ExpressionFailure('format: there are more arguments than clauses')
const BAD_ARGUMENT = new ExpressionFailure('format: an argument does not fit its clause')

/** `%`, a precision, and the clause; what is none of them is found by what is left. */
const CLAUSE = /%(?:%|(?:\.(\d{1,3}))?([sdfebxXo]))|%/g
const PRECISION = 6
/** As far as the digits of a double can be asked for. */
const PRECISION_MAX = 100
/** Rounding half to even is asked of Intl, which takes some 20 µs. */
const ROUNDING_STEPS = 100

export function format(budget: Budget, text: Plain, list: Plain): Result {
  if (typeof text !== 'string' || !isList(list)) return noOverload('format', text, list)
  if (!spendBytes(budget, text.length)) return EXHAUSTED
  let result = ''
  let from = 0
  let used = 0
  for (const match of text.matchAll(CLAUSE)) {
    result += text.slice(from, match.index)
    from = match.index + match[0].length
    const piece = match[0] === '%%' ? '%' : clause(match, list[used++], budget)
    if (piece instanceof ExpressionFailure) return piece
    if (!spendBytes(budget, piece.length)) return EXHAUSTED
    result += piece
  }
  return used < list.length ? TOO_MANY : result + text.slice(from)
}

type Text = string | ExpressionFailure

function clause(match: RegExpMatchArray, argument: CelValue | undefined, budget: Budget): Text {
  const [, digits, letter] = match
  if (letter === undefined) return BAD_CLAUSE
  if (argument === undefined) return TOO_FEW
  const precision = digits === undefined ? PRECISION : Number(digits)
  if (precision > PRECISION_MAX) return BAD_CLAUSE
  const value = plain(argument)
  if (letter === 's') return valueText(value, budget)
  if (letter === 'f' || letter === 'e') return floating(letter, value, precision, budget)
  return baseText(letter, value, budget)
}

function baseText(letter: string, value: Plain, budget: Budget): Text {
  switch (letter) {
    case 'd':
      return decimal(value)
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : integer(value, 2)
    case 'o':
      return integer(value, 8)
    case 'x':
      return hexadecimal(value, budget)
    default:
      return upper(hexadecimal(value, budget))
  }
}

function upper(text: Text): Text {
  return typeof text === 'string' ? text.toUpperCase() : text
}

function integer(value: Plain, base: number): Text {
  if (isInt(value)) return value.toString(base)
  return value instanceof Uint ? value.value.toString(base) : BAD_ARGUMENT
}

function decimal(value: Plain): Text {
  const number = numeric(value)
  if (typeof number === 'number' && !Number.isFinite(number)) return String(number)
  return integer(value, 10)
}

function hexadecimal(value: Plain, budget: Budget): Text {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  if (!(bytes instanceof Uint8Array)) return integer(value, 16)
  return spendBytes(budget, 2 * bytes.length) ? Buffer.from(bytes).toString('hex') : EXHAUSTED
}

const NOT_FINITE = ['NaN', 'Infinity', '-Infinity']

function floating(letter: 'f' | 'e', value: Plain, precision: number, budget: Budget): Text {
  if (typeof value === 'string') return NOT_FINITE.includes(value) ? value : BAD_ARGUMENT
  const number = numeric(value)
  if (number === null || isInt(value) || value instanceof Uint) return BAD_ARGUMENT
  const double = Number(number)
  if (!Number.isFinite(double)) return String(double)
  if (letter === 'e') {
    return double.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2')
  }
  if (!spendSteps(budget, ROUNDING_STEPS)) return EXHAUSTED
  return rounded(double, precision)
}

function rounded(double: number, precision: number): string {
  const options = {
    maximumFractionDigits: precision,
    minimumFractionDigits: precision,
    roundingMode: 'halfEven',
    useGrouping: false,
  } as const
  return new Intl.NumberFormat('en-US', options).format(double)
}

function valueText(value: Plain, budget: Budget): Text {
  if (!spendSteps(budget, 1)) return EXHAUSTED
  const scalar = scalarText(value)
  if (scalar !== null) return scalar
  if (value === null) return 'null'
  if (value instanceof CelType) return value.name
  if (value instanceof Uint8Array) {
    return spendBytes(budget, value.length) ? new TextDecoder().decode(value) : EXHAUSTED
  }
  if (isList(value)) return listText(value, budget)
  return isMap(value) ? mapText(value, budget) : BAD_ARGUMENT
}

function listText(list: readonly CelValue[], budget: Budget): Text {
  const texts: string[] = []
  for (const item of list) {
    const text = valueText(plain(item), budget)
    if (typeof text !== 'string') return text
    if (!spendBytes(budget, text.length + 2)) return EXHAUSTED
    texts.push(text)
  }
  return `[${texts.join(', ')}]`
}

/** By the texts of the keys, so that equal maps have equal texts. */
function mapText(map: PlainMap | CelMap, budget: Budget): Text {
  const entries = map instanceof CelMap ? [...map.entries.values()] : plainEntries(map)
  const texts: [string, string][] = []
  for (const { key, value } of entries) {
    const [name, text] = [valueText(plain(key), budget), valueText(plain(value), budget)]
    if (typeof name !== 'string') return name
    if (typeof text !== 'string') return text
    if (!spendBytes(budget, name.length + text.length + 4)) return EXHAUSTED
    texts.push([name, text])
  }
  texts.sort(([one], [other]) => (one < other ? -1 : 1))
  return `{${texts.map(([name, text]) => `${name}: ${text}`).join(', ')}}`
}

function plainEntries(map: PlainMap): readonly { key: CelValue; value: CelValue }[] {
  return Object.entries(map).map(([key, value]) => ({ key, value }))
}
