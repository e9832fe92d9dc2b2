/**
 * From CEL's tree to closures. Everything that can be decided by looking at the expression is
 * decided here: which field of the exchange a name means, whether a pattern compiles, what a
 * constant is. What the vocabulary does not know is refused, so that both sides agree.
 * Pinned by expression-oracle.test.ts: "random expressions evaluate as the library evaluates them".
 */
import type { parse } from '@bufbuild/cel'
import { COMPREHENSION_NESTING_MAX, EXPRESSION_NODES_MAX } from '#wire/limits'
import { TYPE_NAMES } from '#wire/vocabulary'
import { ELEMENT_BYTES, EXHAUSTED, spendBytes, type Budget } from './budget.ts'
import { entry, field, has } from './expression-access.ts'
import { int64, type Result } from './expression-arithmetic.ts'
import { buildCall } from './expression-calls.ts'
import { all, exists, existsOne, filter, map, type Cell, type Loop } from './expression-macros.ts'
import type { Part } from './expression-operators.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import { CelType, doubleOf, mapOf, Uint, type MapEntry } from './expression-values.ts'
import { absent, entryOf, type createAccessors, type Evaluate } from './expression-variables.ts'
import type { Pattern } from './pattern.ts'
import type { Refused } from './prepare.ts'

export type Tree = ReturnType<typeof parse>['expr']
type Kind = Tree['exprKind']
export type ValueOf<C extends Kind['case']> = Extract<Kind, { case: C }>['value']

/** What the parts of one expression are built with. */
export interface Build {
  readonly locals: readonly string[]
  readonly budget: Budget
  readonly accessors: ReturnType<typeof createAccessors>
  readonly pattern: (text: string) => Pattern | Refused
  /** Variables of the macros around. */
  readonly bound: ReadonlyMap<string, Cell>
  readonly nesting: number
  readonly count: { nodes: number }
}

/** Thrown through the recursion, and turned into a Refused where it began. */
export class Unpreparable extends Error {}

export function build(tree: Tree, context: Build): Part {
  context.count.nodes++
  if (context.count.nodes > EXPRESSION_NODES_MAX) {
    throw new Unpreparable(`the expression has more than ${EXPRESSION_NODES_MAX} parts`)
  }
  switch (tree.exprKind.case) {
    case 'constExpr':
      return constant(constantOf(tree.exprKind.value))
    case 'identExpr':
      return variable(identifier(tree.exprKind.value.name, context))
    case 'selectExpr':
      return select(tree.exprKind.value, context)
    case 'callExpr':
      return buildCall(tree.exprKind.value, context)
    case 'listExpr':
      return list(tree.exprKind.value, context)
    case 'structExpr':
      return struct(tree.exprKind.value, context)
    case 'comprehensionExpr':
      return variable(comprehension(tree.exprKind.value, context))
    default:
      throw new Unpreparable('the expression is incomplete')
  }
}

/** An operand that the parser may leave out according to its types, but never does. */
export function required(tree: Tree | undefined): Tree {
  if (tree === undefined) throw new Unpreparable('the expression is incomplete')
  return tree
}

export function constant(value: Result): Part {
  return { run: () => value, constant: value }
}

export function variable(run: Evaluate): Part {
  return { run, constant: undefined }
}

function constantOf({ constantKind }: ValueOf<'constExpr'>): Result {
  switch (constantKind.case) {
    case 'nullValue':
      return null
    case 'int64Value':
      return int64(constantKind.value)
    case 'uint64Value':
      return new Uint(constantKind.value)
    case 'doubleValue':
      return doubleOf(constantKind.value)
    case 'boolValue':
    case 'stringValue':
    case 'bytesValue':
      return constantKind.value
    default:
      throw new Unpreparable('a constant has no value')
  }
}

function identifier(name: string, { bound, locals, accessors }: Build): Evaluate {
  const cell = bound.get(name)
  if (cell !== undefined) return () => cell.value
  if (locals.includes(name)) return local(name)
  if (name === 'calls') return (scope) => scope.calls ?? NO_CALLS
  if (TYPE_NAMES.includes(name)) {
    const type = new CelType(name)
    return () => type
  }
  const known = Object.hasOwn(accessors, name)
  throw new Unpreparable(known ? `${name} is not a value` : `there is no ${name}`)
}

const NO_CALLS = absent('calls')

function local(name: string): Evaluate {
  const missing = absent(name)
  return (scope) => {
    const { locals } = scope
    if (locals === null || !Object.hasOwn(locals, name)) return missing
    const value = locals[name]
    return value === undefined ? missing : value
  }
}

function select(node: ValueOf<'selectExpr'>, context: Build): Part {
  const operand = required(node.operand)
  const type = `${pathOf(operand)}.${node.field}`
  if (TYPE_NAMES.includes(type)) return constant(new CelType(type))
  const run = selected(operand, node.field, context)
  return variable(node.testOnly ? has(run) : run)
}

/** The value of `operand.name`, by the shortest way. */
export function selected(operand: Tree, name: string, context: Build): Evaluate {
  const root = rootOf(operand, context)
  if (root !== null) {
    const accessors: { readonly [field: string]: Evaluate } = root.accessors
    const accessor = Object.hasOwn(accessors, name) ? accessors[name] : undefined
    if (accessor === undefined) throw new Unpreparable(`${root.name} has no field ${name}`)
    return accessor
  }
  const read = entryReader(operand, context)
  return read === null ? field(build(operand, context).run, name) : entry(read, name)
}

/** The variable that the tree names, unless a macro or a local has taken its name. */
function rootOf(
  tree: Tree,
  { accessors, bound, locals }: Build,
): {
  readonly name: string
  readonly accessors: Build['accessors'][keyof Build['accessors']]
} | null {
  if (tree.exprKind.case !== 'identExpr') return null
  const { name } = tree.exprKind.value
  if (bound.has(name) || locals.includes(name) || !isRoot(name, accessors)) return null
  return { name, accessors: accessors[name] }
}

function isRoot(name: string, accessors: Build['accessors']): name is keyof Build['accessors'] {
  return Object.hasOwn(accessors, name)
}

/** `request.headers` and `request.query`, whose entries are read without building the map. */
export function entryReader(tree: Tree, context: Build): ReturnType<typeof entryOf> {
  if (tree.exprKind.case !== 'selectExpr') return null
  const { operand, field: name, testOnly } = tree.exprKind.value
  if (operand === undefined || testOnly) return null
  const root = rootOf(operand, context)
  return root === null ? null : entryOf(root.name, name, context.budget)
}

function pathOf(tree: Tree): string {
  if (tree.exprKind.case === 'identExpr') return tree.exprKind.value.name
  if (tree.exprKind.case !== 'selectExpr') return ''
  const { operand, field: name } = tree.exprKind.value
  return operand === undefined ? '' : `${pathOf(operand)}.${name}`
}

function list({ elements }: ValueOf<'listExpr'>, context: Build): Part {
  const parts = elements.map((tree) => build(tree, context))
  const constants = parts.flatMap(({ constant: value }) =>
    value === undefined || value instanceof ExpressionFailure ? [] : [value],
  )
  if (constants.length === parts.length) return constant(constants)
  const runs = parts.map((part) => part.run)
  const bytes = ELEMENT_BYTES * runs.length
  return variable((scope) => {
    if (!spendBytes(context.budget, bytes)) return EXHAUSTED
    const values: CelValue[] = []
    for (const run of runs) {
      const value = run(scope)
      if (value instanceof ExpressionFailure) return value
      values.push(value)
    }
    return values
  })
}

const KEY_CONFLICT = new ExpressionFailure('a map has a key twice, or one that cannot be a key')

function struct({ entries, messageName }: ValueOf<'structExpr'>, context: Build): Part {
  if (messageName !== '') throw new Unpreparable(`there is no type ${messageName}`)
  const parts = entries.map(({ keyKind, value }) => {
    if (keyKind.case !== 'mapKey') throw new Unpreparable('a map entry has no key')
    return [build(keyKind.value, context).run, build(required(value), context).run] as const
  })
  const bytes = 2 * ELEMENT_BYTES * parts.length
  return variable((scope) => {
    if (!spendBytes(context.budget, bytes)) return EXHAUSTED
    const made: MapEntry[] = []
    for (const [keyPart, valuePart] of parts) {
      const key = keyPart(scope)
      if (key instanceof ExpressionFailure) return key
      const value = valuePart(scope)
      if (value instanceof ExpressionFailure) return value
      made.push({ key, value })
    }
    return mapOf(made) ?? KEY_CONFLICT
  })
}

/** The parser has written the macro out; which one it was follows from what it begins with. */
function comprehension(node: ValueOf<'comprehensionExpr'>, context: Build): Evaluate {
  if (context.nesting >= COMPREHENSION_NESTING_MAX) {
    throw new Unpreparable(`macros nest deeper than ${COMPREHENSION_NESTING_MAX}`)
  }
  const range = build(required(node.iterRange), context).run
  const cell: Cell = { value: null }
  const bound = new Map(context.bound).set(node.iterVar, cell)
  const inner: Build = { ...context, bound, nesting: context.nesting + 1 }
  const before = context.count.nodes
  const make = macroOf(node, inner)
  const cost = 1 + context.count.nodes - before
  return make({ range, cell, budget: context.budget, cost })
}

function macroOf(node: ValueOf<'comprehensionExpr'>, inner: Build): (loop: Loop) => Evaluate {
  const start = required(node.accuInit).exprKind
  const step = callOf(node.loopStep)
  const [first, second] = step.args
  if (start.case === 'listExpr' && step.function === '_+_') {
    const body = build(required(listItem(second)), inner).run
    return (loop) => map(loop, body)
  }
  if (start.case === 'listExpr') {
    const test = build(required(first), inner).run
    const body = build(required(listItem(callOf(second).args[1])), inner).run
    return (loop) => filter(loop, test, body)
  }
  if (step.function === '_?_:_') {
    const test = build(required(first), inner).run
    return (loop) => existsOne(loop, test)
  }
  const test = build(required(second), inner).run
  return step.function === '_&&_' ? (loop) => all(loop, test) : (loop) => exists(loop, test)
}

function callOf(tree: Tree | undefined): ValueOf<'callExpr'> {
  if (tree?.exprKind.case !== 'callExpr') throw new Unpreparable('this macro is not known')
  return tree.exprKind.value
}

/** The one element that a round adds. */
function listItem(tree: Tree | undefined): Tree | undefined {
  return tree?.exprKind.case === 'listExpr' ? tree.exprKind.value.elements[0] : undefined
}
