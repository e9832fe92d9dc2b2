/**
 * Calls in expressions: operators, macros that were not written as such, and functions with their
 * numbers of arguments; and what has to be literal is read here, before any request could.
 * Pinned by expression.test.ts: "a function that does not exist, or takes other arguments, is named".
 */
import { parseCidr } from '#wire/address'
import { FUNCTIONS, MACROS, type FunctionForms } from '#wire/vocabulary'
import { patternFault } from './expression-pattern.ts'
import { DYN, fieldOf, typeOf, valueOf, type Shape, type Walk } from './expression-shape.ts'
import { invalid, type Fault, type Tree } from './expression-syntax.ts'
import { positionOf, visit, visitValue, type Bound } from './expression-walk.ts'
import { didYouMean } from './suggest.ts'

export type Call = Extract<Tree['exprKind'], { case: 'callExpr' }>['value']

/** Operators by the names that the parser gives them, with the type of what they make. */
const OPERATORS: { readonly [name: string]: string } = {
  '_&&_': 'bool',
  '_||_': 'bool',
  '!_': 'bool',
  '_==_': 'bool',
  '_!=_': 'bool',
  '_<_': 'bool',
  '_<=_': 'bool',
  '_>_': 'bool',
  '_>=_': 'bool',
  '@in': 'bool',
  '_+_': 'dyn',
  '_-_': 'dyn',
  '_*_': 'dyn',
  '_/_': 'dyn',
  '_%_': 'dyn',
  '-_': 'dyn',
  '_?_:_': 'dyn',
}

/** Types of what functions make, where it is always the same. */
const RESULTS: { readonly [name: string]: string } = {
  size: 'int',
  matches: 'bool',
  timestamp: 'timestamp',
  duration: 'duration',
  int: 'int',
  uint: 'uint',
  double: 'double',
  string: 'string',
  bytes: 'bytes',
  bool: 'bool',
  inCidr: 'bool',
  scopes: 'list',
  contains: 'bool',
  startsWith: 'bool',
  endsWith: 'bool',
  charAt: 'string',
  indexOf: 'int',
  lastIndexOf: 'int',
  join: 'string',
  lowerAscii: 'string',
  upperAscii: 'string',
  replace: 'string',
  split: 'list',
  substring: 'string',
  trim: 'string',
  reverse: 'string',
  format: 'string',
}

export function visitCall(walk: Walk, call: Call, bound: Bound, at: number): Shape {
  const operator = OPERATORS[call.function]
  if (call.function === '_[_]') return index(walk, call, bound)
  if (call.function === '_-_' && hyphenated(walk, call, bound)) return DYN
  if (operator !== undefined) {
    for (const argument of call.args) visitValue(walk, argument, bound)
    return valueOf(operator)
  }
  if (isQuote(call)) {
    checkForms(walk, { ...call, target: undefined, function: 'strings.quote' }, at)
  } else {
    if (call.target !== undefined) visitValue(walk, call.target, bound)
    checkForms(walk, call, at)
  }
  for (const argument of call.args) visitValue(walk, argument, bound)
  checkLiterals(walk, call)
  return valueOf(RESULTS[call.function] ?? 'dyn')
}

function index(walk: Walk, call: Call, bound: Bound): Shape {
  const [operand, key] = call.args
  if (operand === undefined || key === undefined) return DYN
  const shape = visit(walk, operand, bound)
  const text = stringOf(key)
  const at = positionOf(walk, key)
  if (text !== null && !(shape.kind === 'value' && shape.type !== 'map')) {
    return fieldOf(walk, shape, text, at)
  }
  visitValue(walk, key, bound)
  if (shape.kind === 'call') return DYN
  if (shape.kind === 'calls' || shape.kind === 'root') {
    const name = shape.kind === 'calls' ? 'calls' : shape.name
    walk.faults.push(invalid(at, `a field of ${name} must be named, as ${name}.${exampleOf(name)}`))
    return DYN
  }
  typeOf(walk, shape, positionOf(walk, operand))
  return DYN
}

function exampleOf(root: string): string {
  return root === 'calls' ? 'order' : 'method'
}

/** `request.headers.x-tenant` is a subtraction to CEL, and never what was meant. */
function hyphenated(walk: Walk, call: Call, bound: Bound): boolean {
  const [left, right] = call.args
  if (left?.exprKind.case !== 'selectExpr' || right?.exprKind.case !== 'identExpr') return false
  const name = right.exprKind.value.name
  if (bound.includes(name) || (walk.within.locals ?? []).includes(name)) return false
  const { operand, field } = left.exprKind.value
  const parent = operand?.exprKind.case === 'selectExpr' ? operand.exprKind.value.field : 'map'
  const sentence = `- subtracts here; a name with a hyphen is written ${parent}["${field}-${name}"]`
  walk.faults.push(invalid(positionOf(walk, right) - 1, sentence))
  return true
}

function isQuote(call: Call): boolean {
  return (
    call.function === 'quote' &&
    call.target?.exprKind.case === 'identExpr' &&
    call.target.exprKind.value.name === 'strings'
  )
}

interface Named {
  readonly function: string
  readonly target?: Tree | undefined
  readonly args: readonly Tree[]
}

function checkForms(walk: Walk, call: Named, at: number): void {
  const name = call.function
  const method = call.target !== undefined
  const macro = formsOf(MACROS, name)
  if (macro !== null) {
    walk.faults.push(invalid(at, macroSentence(name)))
    return
  }
  const forms = formsOf(FUNCTIONS, name)
  if (forms === null) {
    const hint = didYouMean(name, [...Object.keys(FUNCTIONS), ...Object.keys(MACROS)])
    walk.faults.push(invalid(at, `there is no function ${name}${hint}`))
    return
  }
  const counts = method ? forms.method : forms.call
  if (counts.includes(call.args.length)) return
  walk.faults.push(invalid(at, formsSentence(name, forms, method)))
}

function formsOf(
  table: { readonly [name: string]: FunctionForms },
  name: string,
): FunctionForms | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null
}

/** The parser leaves a macro as a call only where its arguments do not fit. */
function macroSentence(name: string): string {
  if (name === 'has') return 'has takes one field, as has(auth.claims.role)'
  if (name === 'map') return 'map is written list.map(x, value) or list.map(x, test, value)'
  return `${name} is written list.${name}(x, test), with a name of your own for x`
}

function formsSentence(name: string, forms: FunctionForms, method: boolean): string {
  const counts = method ? forms.method : forms.call
  if (counts.length === 0) {
    const form = method ? `${name}(x)` : `x.${name}(…)`
    return `${name} is written ${form}`
  }
  const count = counts.join(' or ')
  return `${name} takes ${count} argument${count === '1' ? '' : 's'}`
}

function checkLiterals(walk: Walk, call: Call): void {
  const last = call.args.at(-1)
  if (last === undefined) return
  const fault = literalFault(call, stringOf(last))
  if (fault !== null) walk.faults.push({ ...fault, at: positionOf(walk, last) })
}

function literalFault(call: Call, text: string | null): Fault | null {
  if (call.function === 'matches') return text === null ? NOT_LITERAL : patternFault(text)
  if (call.function !== 'inCidr' || call.args.length !== 2) return null
  if (text === null || parseCidr(text) !== null) return null
  return invalid(0, `${JSON.stringify(text)} is no address range; write it as "10.0.0.0/8"`)
}

const NOT_LITERAL = invalid(
  0,
  'the pattern of matches must be a literal text, so that it is bounded',
)

export function stringOf(tree: Tree): string | null {
  if (tree.exprKind.case !== 'constExpr') return null
  const { constantKind } = tree.exprKind.value
  return constantKind.case === 'stringValue' ? constantKind.value : null
}
