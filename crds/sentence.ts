/**
 * The sentences about structure: what is wrong with a value, and what to write instead. Those of
 * cross-field rules stand with the rules.
 * Pinned by decode.test.ts: "every bad object is refused at its path with a sentence that helps".
 */
import { nearest } from './nearest.ts'
import type { SchemaNode } from './schema.ts'

/** What somebody wrote, short enough to be quoted. */
export function shown(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? kindOf(value) : plain(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function plain(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.slice(0, 100))
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value)
    default:
      return kindOf(value)
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  switch (typeof value) {
    case 'object':
      return 'an object'
    case 'string':
      return 'text'
    case 'number':
    case 'bigint':
      return 'a number'
    case 'boolean':
      return `${value}`
    default:
      return 'not JSON'
  }
}

const WANTED = {
  object: 'an object (key: value)',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
} as const

export function wrongType(node: SchemaNode, value: unknown): string {
  const wanted = node.type === undefined ? 'a number or text' : WANTED[node.type]
  return `This must be ${wanted}, and is ${shown(value)}.${advice(node, value)}`
}

function advice(node: SchemaNode, value: unknown): string {
  const { type } = node
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return inQuotes(node, String(value))
  }
  if (type === 'integer' && typeof value === 'string' && /^[0-9]{1,15}$/.test(value)) {
    return ` Write it without quotes: ${value}.`
  }
  if (type === 'boolean' && typeof value === 'string') {
    return ' Write true or false, without quotes; YAML 1.2 reads yes, no, on, off as text.'
  }
  return example(node)
}

/** What would be refused in quotes as well is not advised. */
function inQuotes(node: SchemaNode, text: string): string {
  const isRight = (node.rules ?? []).every((rule) => rule.check(text))
  return isRight ? ` Put it in quotes: "${text}".` : example(node)
}

function example(node: SchemaNode): string {
  return node.example === undefined ? '' : ` Example: ${node.example}`
}

export function missing(node: SchemaNode): string {
  return `This field is required and missing. ${node.description ?? ''}`.trim()
}

export const NULL =
  'null is no value here: write one, or remove the field. A key with nothing after it is null in YAML.'

export const NULL_IN_TEMPLATE =
  'A literal null is lost on the way (client-side apply drops it): write "${null}", or remove the field.'

export const NULL_IN_CONTENT =
  'A literal null is lost on the way (client-side apply drops it): remove the field.'

export function booleanKey(key: string): string {
  const words = key === 'true' ? 'on, yes and y' : 'off, no and n'
  return `The key ${key} is what YAML 1.1 makes of ${words}; choose another word.`
}

export function unknownField(name: string, fields: readonly string[]): string {
  const quoted = shown(name)
  const near = elsewhere(name, fields) ?? nearest(name, fields)
  if (near !== null) return `There is no field ${quoted} here; did you mean ${near}?`
  if (fields.length === 0) return `There is no field ${quoted} here: nothing is written in it.`
  return `There is no field ${quoted} here; there are ${fields.join(', ')}.`
}

/** What other gateways call it. */
const ELSEWHERE = new Map([
  ['hostnames', 'hosts'],
  ['pathPrefix', 'path'],
  ['parentRefs', 'gateways'],
  ['backendRefs', 'backends'],
  ['upstream', 'backends'],
  ['upstreams', 'backends'],
  ['matches', 'match'],
  ['rateLimit', 'limits'],
  ['rules', 'authorize'],
  ['authentication', 'authenticate'],
  ['authorization', 'authorize'],
  ['fallbackValue', 'fallback'],
])

function elsewhere(name: string, fields: readonly string[]): string | null {
  const ours = ELSEWHERE.get(name)
  return ours !== undefined && fields.includes(ours) ? ours : null
}

export function notPossible(node: SchemaNode, value: unknown): string {
  const words = (node.enum ?? []).map(String)
  const near = typeof value === 'string' ? nearest(value, words) : null
  const meant = near === null ? '' : `; did you mean ${near}?`
  return `${shown(value)} is not possible here${meant || '.'} Possible: ${words.join(', ')}.`
}

export function outOfRange(node: SchemaNode, value: number): string {
  const { minimum, maximum } = node
  return `${value} is not possible here: write a number from ${minimum} to ${maximum}.`
}

export function tooLong(what: string, most: number, have: number): string {
  return `At most ${most} ${what} are possible here; there are ${have}.`
}

export function tooFew(node: SchemaNode, what: string, least: number): string {
  const wanted = least === 1 ? `one ${what} is` : `${least} of ${what} are`
  return `At least ${wanted} needed here.${example(node)}`
}
