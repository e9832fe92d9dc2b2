/**
 * What is known of a part of an expression before it runs, and what a field of it is: enough to
 * find misspelt fields and to write down which headers, claims and calls are read.
 * Pinned by expression.test.ts: "a name that the place does not offer is named, with the nearest".
 */
import { CALL_FIELDS, FIELDS } from '#wire/vocabulary'
import { invalid, type Fault, type Positions } from './expression-syntax.ts'
import type { Within } from './expression.ts'
import { didYouMean } from './suggest.ts'

export type Shape =
  /** A CEL type, or `dyn`. */
  | { readonly kind: 'value'; readonly type: string }
  /** A variable with a closed set of fields. */
  | { readonly kind: 'root'; readonly name: keyof typeof FIELDS }
  /** A map whose names are written down as they are read. */
  | { readonly kind: 'names'; readonly of: 'headers' | 'claims' }
  | { readonly kind: 'calls' }
  | { readonly kind: 'call'; readonly name: string }

export const DYN: Shape = { kind: 'value', type: 'dyn' }

/** What one walk over an expression has seen. */
export interface Walk {
  readonly within: Within
  readonly positions: Positions
  readonly faults: Fault[]
  readonly variables: Set<string>
  readonly calls: Set<string>
  readonly headers: Set<string>
  readonly claims: Set<string>
  body: 'read' | 'unread'
  nodes: number
}

export function valueOf(type: string): Shape {
  return { kind: 'value', type }
}

/** The shape of `operand.field`, or of `operand["field"]`. */
export function fieldOf(walk: Walk, operand: Shape, field: string, at: number): Shape {
  switch (operand.kind) {
    case 'value':
      return valueField(walk, operand.type, field, at)
    case 'root':
      return rootField(walk, operand.name, field, at)
    case 'names':
      walk[operand.of].add(operand.of === 'headers' ? field.toLowerCase() : field)
      return operand.of === 'headers' ? valueOf('string') : DYN
    case 'calls':
      return callNamed(walk, field, at)
    case 'call':
      return callField(walk, operand.name, field, at)
    default:
      return operand satisfies never
  }
}

/** A shape that is needed as a value: variables are no values, they only have fields. */
export function typeOf(walk: Walk, shape: Shape, at: number): string {
  switch (shape.kind) {
    case 'value':
      return shape.type
    case 'root': {
      const example = Object.keys(FIELDS[shape.name])[0] ?? ''
      const sentence = `${shape.name} is not a value; use one of its fields, as ${shape.name}.${example}`
      walk.faults.push(invalid(at, sentence))
      return 'dyn'
    }
    case 'names':
      walk[shape.of].add('*')
      return 'map'
    case 'calls':
      walk.faults.push(invalid(at, 'calls is not a value; name a call, as calls.order.body'))
      return 'dyn'
    case 'call':
      return 'dyn'
    default:
      return shape satisfies never
  }
}

/** Types whose values have no fields; maps and what is not known may have any. */
function valueField(walk: Walk, type: string, field: string, at: number): Shape {
  if (type !== 'dyn' && type !== 'map') {
    const article = /^[aeiou]/.test(type) ? 'an' : 'a'
    walk.faults.push(invalid(at, `${article} ${type} has no field ${field}`))
  }
  return DYN
}

function rootField(walk: Walk, root: keyof typeof FIELDS, field: string, at: number): Shape {
  const fields: { readonly [name: string]: string } = FIELDS[root]
  const type = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (type === undefined) {
    const hint = didYouMean(field, Object.keys(fields))
    const list = hint === '' ? `; it has ${Object.keys(fields).join(', ')}` : hint
    walk.faults.push(invalid(at, `${root} has no field ${field}${list}`))
    return DYN
  }
  if (root === 'request' && field === 'headers') return { kind: 'names', of: 'headers' }
  if (root === 'auth' && field === 'claims') return { kind: 'names', of: 'claims' }
  if (root === 'request' && field === 'body') readBody(walk, at)
  return valueOf(type)
}

function readBody(walk: Walk, at: number): void {
  walk.body = 'read'
  if (walk.within.readBody === 'yes') return
  const sentence =
    'request.body is read only where the rule says so: add readBody: { max: 1Mi } to it'
  walk.faults.push(invalid(at, sentence))
}

function callNamed(walk: Walk, name: string, at: number): Shape {
  walk.calls.add(name)
  const known = walk.within.calls
  if (known !== undefined && !known.includes(name)) {
    const hint = didYouMean(name, known)
    const list = hint === '' ? `; there are ${known.join(', ') || 'none'}` : hint
    walk.faults.push(invalid(at, `there is no call ${name}${list}`))
    return DYN
  }
  return { kind: 'call', name }
}

function callField(walk: Walk, call: string, field: string, at: number): Shape {
  // with forEach it is a list or a map of answers, whose keys are the user's
  if (walk.within.forEachCalls?.includes(call) === true) return DYN
  const fields: { readonly [name: string]: string } = CALL_FIELDS
  const type = Object.hasOwn(fields, field) ? fields[field] : undefined
  if (type !== undefined) return valueOf(type)
  const hint = didYouMean(field, Object.keys(fields))
  const list = hint === '' ? `; it has ${Object.keys(fields).join(', ')}` : hint
  walk.faults.push(invalid(at, `calls.${call} has no field ${field}${list}`))
  return DYN
}
