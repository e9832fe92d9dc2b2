/**
 * Walks a parsed expression: every name in it must be one that its place offers, every call one
 * that the data planes know, and what is read is written down for those who infer from it.
 * Pinned by expression.test.ts: "a name that the place does not offer is named, with the nearest".
 */
import { COMPREHENSION_NESTING_MAX, EXPRESSION_NODES_MAX } from '#wire/limits'
import { FIELDS, PLACES, TYPE_NAMES } from '#wire/vocabulary'
import { visitCall } from './expression-call.ts'
import { DYN, fieldOf, typeOf, valueOf, type Shape, type Walk } from './expression-shape.ts'
import { expensive, invalid, type Tree } from './expression-syntax.ts'
import { didYouMean } from './suggest.ts'

/** Variables of the macros around a node, innermost last. */
export type Bound = readonly string[]

type Kind = Tree['exprKind']
type Select = Extract<Kind, { case: 'selectExpr' }>['value']
type Comprehension = Extract<Kind, { case: 'comprehensionExpr' }>['value']
type Struct = Extract<Kind, { case: 'structExpr' }>['value']

export function visit(walk: Walk, tree: Tree, bound: Bound): Shape {
  if (count(walk) > EXPRESSION_NODES_MAX) return DYN
  return shapeOf(walk, tree, bound)
}

function shapeOf(walk: Walk, tree: Tree, bound: Bound): Shape {
  const at = positionOf(walk, tree)
  switch (tree.exprKind.case) {
    case 'constExpr':
      return constant(walk, tree.exprKind.value.constantKind, at)
    case 'identExpr':
      return identifier(walk, tree.exprKind.value.name, bound, at)
    case 'selectExpr':
      return select(walk, tree.exprKind.value, bound, at)
    case 'callExpr':
      return visitCall(walk, tree.exprKind.value, bound, at)
    case 'listExpr':
      for (const element of tree.exprKind.value.elements) visitValue(walk, element, bound)
      return valueOf('list')
    case 'structExpr':
      return struct(walk, tree.exprKind.value, bound, at)
    case 'comprehensionExpr':
      return comprehension(walk, tree.exprKind.value, bound, at)
    case undefined:
      return DYN
    default:
      return tree.exprKind satisfies never
  }
}

/** One sentence is enough, and the rest need not be walked. */
function count(walk: Walk): number {
  walk.nodes++
  if (walk.nodes === EXPRESSION_NODES_MAX + 1) {
    const sentence = `the expression has more than ${EXPRESSION_NODES_MAX} parts; split it`
    walk.faults.push(expensive(0, sentence))
  }
  return walk.nodes
}

/** As a value, whose type it gives. */
export function visitValue(walk: Walk, tree: Tree, bound: Bound): string {
  return typeOf(walk, visit(walk, tree, bound), positionOf(walk, tree))
}

export function positionOf(walk: Walk, tree: Tree): number {
  return walk.positions[String(tree.id)] ?? 0
}

type ConstantKind = Extract<Kind, { case: 'constExpr' }>['value']['constantKind']

const CONSTANTS: { readonly [kind: string]: string } = {
  nullValue: 'null_type',
  boolValue: 'bool',
  int64Value: 'int',
  uint64Value: 'uint',
  doubleValue: 'double',
  stringValue: 'string',
  bytesValue: 'bytes',
}

function constant(walk: Walk, kind: ConstantKind, at: number): Shape {
  if (kind.case === 'int64Value' && BigInt.asIntN(64, kind.value) !== kind.value) {
    walk.faults.push(invalid(at, 'this number does not fit 64 bits; write it with a fraction'))
  }
  if (kind.case === 'uint64Value' && BigInt.asUintN(64, kind.value) !== kind.value) {
    walk.faults.push(invalid(at, 'this number does not fit 64 bits; write it with a fraction'))
  }
  return valueOf(CONSTANTS[kind.case ?? ''] ?? 'dyn')
}

function identifier(walk: Walk, name: string, bound: Bound, at: number): Shape {
  if (bound.includes(name)) return DYN
  const locals = walk.within.locals ?? []
  if (locals.includes(name)) {
    walk.variables.add(name)
    return DYN
  }
  const offered: readonly string[] = PLACES[walk.within.place]
  if (offered.includes(name)) {
    walk.variables.add(name)
    return name === 'calls' ? { kind: 'calls' } : { kind: 'root', name: rootNamed(name) }
  }
  if (TYPE_NAMES.includes(name)) return valueOf('type')
  walk.faults.push(invalid(at, unknownName(name, [...offered, ...locals, ...bound])))
  return DYN
}

function rootNamed(name: string): keyof typeof FIELDS {
  const roots = Object.keys(FIELDS).filter((root) => isRoot(root))
  return roots.find((root) => root === name) ?? 'request'
}

function isRoot(name: string): name is keyof typeof FIELDS {
  return Object.hasOwn(FIELDS, name)
}

function unknownName(name: string, offered: readonly string[]): string {
  const names = offered.filter((each) => each !== '@result')
  const elsewhere = Object.values(PLACES).some((place: readonly string[]) => place.includes(name))
  if (elsewhere) return `${name} is not available here; this field may use ${names.join(', ')}`
  const hint = didYouMean(name, names)
  if (hint !== '') return `there is no ${name}${hint}`
  return `there is no ${name}; this field may use ${names.join(', ')}, and texts are in quotes`
}

function select(walk: Walk, node: Select, bound: Bound, at: number): Shape {
  const { operand } = node
  if (operand === undefined) return DYN
  if (TYPE_NAMES.includes(`${pathOf(operand)}.${node.field}`)) return valueOf('type')
  const shape = fieldOf(walk, visit(walk, operand, bound), node.field, at)
  return node.testOnly ? valueOf('bool') : shape
}

/** `a.b.c` of nested selections; empty for everything else. */
function pathOf(tree: Tree): string {
  if (tree.exprKind.case === 'identExpr') return tree.exprKind.value.name
  if (tree.exprKind.case !== 'selectExpr') return ''
  const { operand, field, testOnly } = tree.exprKind.value
  return operand === undefined || testOnly ? '' : `${pathOf(operand)}.${field}`
}

function struct(walk: Walk, node: Struct, bound: Bound, at: number): Shape {
  if (node.messageName !== '') {
    walk.faults.push(
      invalid(at, `${node.messageName}{…} makes no value here; write a map {"a": b}`),
    )
    return DYN
  }
  for (const { keyKind, value } of node.entries) {
    if (keyKind.case === 'mapKey') visitValue(walk, keyKind.value, bound)
    if (value !== undefined) visitValue(walk, value, bound)
  }
  return valueOf('map')
}

/** The parser writes macros out with a variable of its own for what has been gathered so far. */
function comprehension(walk: Walk, node: Comprehension, bound: Bound, at: number): Shape {
  if (node.iterRange !== undefined) visitValue(walk, node.iterRange, bound)
  const depth = bound.filter((name) => name === node.accuVar).length + 1
  if (depth > COMPREHENSION_NESTING_MAX) {
    const sentence = `macros nest deeper than ${COMPREHENSION_NESTING_MAX}; use fewer inside each other`
    walk.faults.push(expensive(at, sentence))
    return DYN
  }
  const inner = [...bound, node.iterVar, node.accuVar]
  if (node.loopStep !== undefined) visitValue(walk, node.loopStep, inner)
  return valueOf(node.accuInit?.exprKind.case === 'listExpr' ? 'list' : 'bool')
}
