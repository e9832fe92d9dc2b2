/**
 * Calls as closures: operators, indexes, and functions by their forms in the vocabulary.
 * Pinned by expression-oracle.test.ts: "random expressions evaluate as the library evaluates them".
 */
import { PATTERN_INPUT_BYTES_MAX } from '#wire/limits'
import { FUNCTIONS } from '#wire/vocabulary'
import { EXHAUSTED, spendScan, spendSteps, type Budget } from './budget.ts'
import { computedEntry, element, valueOr } from './expression-access.ts'
import { noOverload } from './expression-arithmetic.ts'
import {
  build,
  constant,
  entryReader,
  required,
  selected,
  Unpreparable,
  variable,
  type Build,
  type Tree,
  type ValueOf,
} from './expression-build.ts'
import { IMPLEMENTATIONS, inLiteralCidr, type Implementation } from './expression-functions.ts'
import {
  and,
  arithmetic,
  comparison,
  conditional,
  equality,
  inequality,
  membership,
  negation,
  not,
  or,
  type Part,
} from './expression-operators.ts'
import { ExpressionFailure } from './expression-types.ts'
import { plain, type Plain } from './expression-values.ts'
import type { Evaluate } from './expression-variables.ts'
import { fits } from './pattern.ts'

type Call = ValueOf<'callExpr'>

export function buildCall(call: Call, context: Build): Part {
  if (call.function === '_[_]') return index(call, context)
  const operator = Object.hasOwn(OPERATORS, call.function) ? OPERATORS[call.function] : undefined
  if (operator === undefined) return variable(functionCall(call, context))
  return variable(
    operator(
      call.args.map((argument) => build(argument, context)),
      context.budget,
    ),
  )
}

type MakeOperator = (parts: readonly Part[], budget: Budget) => Evaluate

const NOTHING: Part = constant(new ExpressionFailure('an operand is missing'))

function part(parts: readonly Part[], position: number): Part {
  return parts[position] ?? NOTHING
}

const OPERATORS: { readonly [name: string]: MakeOperator } = {
  '_&&_': (parts) => and(part(parts, 0).run, part(parts, 1).run),
  '_||_': (parts) => or(part(parts, 0).run, part(parts, 1).run),
  '!_': (parts) => not(part(parts, 0).run),
  '-_': (parts) => negation(part(parts, 0).run),
  '_?_:_': (parts) => conditional(part(parts, 0).run, part(parts, 1).run, part(parts, 2).run),
  '_==_': (parts, budget) => equality(part(parts, 0), part(parts, 1), budget),
  '_!=_': (parts, budget) => inequality(part(parts, 0), part(parts, 1), budget),
  '@in': (parts, budget) => membership(part(parts, 0).run, part(parts, 1), budget),
  '_<_': (parts, budget) => comparison('<', part(parts, 0).run, part(parts, 1).run, budget),
  '_<=_': (parts, budget) => comparison('<=', part(parts, 0).run, part(parts, 1).run, budget),
  '_>_': (parts, budget) => comparison('>', part(parts, 0).run, part(parts, 1).run, budget),
  '_>=_': (parts, budget) => comparison('>=', part(parts, 0).run, part(parts, 1).run, budget),
  '_+_': (parts, budget) => arithmetic('+', part(parts, 0).run, part(parts, 1).run, budget),
  '_-_': (parts, budget) => arithmetic('-', part(parts, 0).run, part(parts, 1).run, budget),
  '_*_': (parts, budget) => arithmetic('*', part(parts, 0).run, part(parts, 1).run, budget),
  '_/_': (parts, budget) => arithmetic('/', part(parts, 0).run, part(parts, 1).run, budget),
  '_%_': (parts, budget) => arithmetic('%', part(parts, 0).run, part(parts, 1).run, budget),
}

function index(call: Call, context: Build): Part {
  const operand = required(call.args[0])
  const key = required(call.args[1])
  const name = textOf(key)
  if (name !== null) return variable(selected(operand, name, context))
  const read = entryReader(operand, context)
  const computed = build(key, context).run
  if (read !== null) return variable(computedEntry(read, computed))
  return variable(element(build(operand, context).run, computed))
}

function textOf(tree: Tree): string | null {
  if (tree.exprKind.case !== 'constExpr') return null
  const { constantKind } = tree.exprKind.value
  return constantKind.case === 'stringValue' ? constantKind.value : null
}

function functionCall(call: Call, context: Build): Evaluate {
  const { name, args } = nameAndArguments(call)
  checkForms(name, args.length, call.target === args[0])
  const parts = args.map((argument) => build(argument, context))
  if (name === 'matches') return matches(parts, context)
  if (name === 'value') return valueOr(part(parts, 0).run, part(parts, 1).run)
  const range = part(parts, 1).constant
  if (name === 'inCidr' && typeof range === 'string') return inRangeOf(range, parts, context)
  return apply(IMPLEMENTATIONS[name] ?? unknown(name), parts, context.budget)
}

/** The controller has checked the same; what it pushed was made for this vocabulary or another. */
function checkForms(name: string, count: number, hasTarget: boolean): void {
  const forms = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (forms === undefined) return unknown(name)
  const known = hasTarget ? forms.method.includes(count - 1) : forms.call.includes(count)
  if (!known) throw new Unpreparable(`${name} does not take these arguments`)
}

function unknown(name: string): never {
  throw new Unpreparable(`there is no function ${name}`)
}

function inRangeOf(range: string, parts: readonly Part[], { budget }: Build): Evaluate {
  const implementation = inLiteralCidr(range)
  if (implementation === null) throw new Unpreparable('inCidr: the range is none')
  return apply(implementation, parts.slice(0, 1), budget)
}

interface Named {
  readonly name: string
  /** With the value before the dot in front. */
  readonly args: readonly Tree[]
}

function nameAndArguments({ function: name, target, args }: Call): Named {
  if (target === undefined) return { name, args }
  const path = target.exprKind.case === 'identExpr' ? `${target.exprKind.value.name}.${name}` : ''
  return Object.hasOwn(FUNCTIONS, path) ? { name: path, args } : { name, args: [target, ...args] }
}

/** One step for each call, whatever it costs besides. */
function apply(run: Implementation, parts: readonly Part[], budget: Budget): Evaluate {
  const [first = NOTHING, second, ...others] = parts
  if (second === undefined) return applyToOne(run, first.run, budget)
  if (others.length === 0) return applyToTwo(run, [first.run, second.run], budget)
  const rest = [second.run, ...others.map((other) => other.run)]
  return (scope) => {
    const target = first.run(scope)
    if (target instanceof ExpressionFailure) return target
    if (!spendSteps(budget, 1)) return EXHAUSTED
    const values: Plain[] = []
    for (const argument of rest) {
      const value = argument(scope)
      if (value instanceof ExpressionFailure) return value
      values.push(plain(value))
    }
    return run(budget, plain(target), ...values)
  }
}

function applyToOne(run: Implementation, target: Evaluate, budget: Budget): Evaluate {
  return (scope) => {
    const value = target(scope)
    if (value instanceof ExpressionFailure) return value
    return spendSteps(budget, 1) ? run(budget, plain(value)) : EXHAUSTED
  }
}

function applyToTwo(
  run: Implementation,
  [target, argument]: readonly [Evaluate, Evaluate],
  budget: Budget,
): Evaluate {
  return (scope) => {
    const one = target(scope)
    if (one instanceof ExpressionFailure) return one
    const other = argument(scope)
    if (other instanceof ExpressionFailure) return other
    return spendSteps(budget, 1) ? run(budget, plain(one), plain(other)) : EXHAUSTED
  }
}

const TOO_LONG = new ExpressionFailure(
  `matches: the text is longer than ${PATTERN_INPUT_BYTES_MAX} bytes`,
)

/** Compiled here once; a pattern that is made from a request could be made to be slow. */
function matches(parts: readonly Part[], { budget, pattern }: Build): Evaluate {
  const text = part(parts, 1).constant
  if (typeof text !== 'string') throw new Unpreparable('a pattern must be a literal text')
  const prepared = pattern(text)
  if ('kind' in prepared) throw new Unpreparable(prepared.because)
  const subject = part(parts, 0).run
  return (scope) => {
    const value = subject(scope)
    if (value instanceof ExpressionFailure) return value
    if (typeof value !== 'string') return noOverload('matches', value)
    // "does not match" would let a long text past a condition that forbids something
    if (!fits(value)) return TOO_LONG
    return spendScan(budget, 256 * value.length) ? prepared.find(value) : EXHAUSTED
  }
}
