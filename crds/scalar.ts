/**
 * Checks one value that holds no others: type, words, lengths, bounds. Null is no problem.
 * Pinned by decode.test.ts: "every bad object is refused at its path with a sentence that helps".
 */
import type { SchemaNode } from './schema.ts'
import { NULL, notPossible, outOfRange, shown, tooLong, wrongType } from './sentence.ts'

/** Also for objects and lists that are neither: then the type is wrong. */
export function scalarProblem(node: SchemaNode, value: unknown): string | null {
  if (value === null || value === undefined) return NULL
  switch (node.type) {
    case 'string':
      return textProblem(node, value)
    case 'integer':
      return numberProblem(node, value)
    case 'boolean':
      return typeof value === 'boolean' ? null : wrongType(node, value)
    case undefined:
      return eitherProblem(node, value)
    case 'object':
    case 'array':
      return wrongType(node, value)
    default:
      return node.type satisfies never
  }
}

function textProblem(node: SchemaNode, value: unknown): string | null {
  if (typeof value !== 'string') return wrongType(node, value)
  if (node.enum !== undefined) return node.enum.includes(value) ? null : notPossible(node, value)
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = node
  if (value.length < minLength) return 'This is empty; write something, or remove the field.'
  return lengthProblem(value, maxLength)
}

function numberProblem(node: SchemaNode, value: unknown): string | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(node, value)
  return isWithin(node, value) ? null : outOfRange(node, value)
}

/** A number, or text where a number cannot say it. */
function eitherProblem(node: SchemaNode, value: unknown): string | null {
  if (typeof value === 'number' && Number.isInteger(value)) {
    return isWithin(node, value) ? null : unfit(node, value)
  }
  if (typeof value !== 'string') return wrongType(node, value)
  const { maxLength = Number.POSITIVE_INFINITY, compiled } = node
  const tooLongBy = lengthProblem(value, maxLength)
  if (tooLongBy !== null) return tooLongBy
  return compiled === undefined || compiled.test(value) ? null : unfit(node, value)
}

function unfit(node: SchemaNode, value: unknown): string {
  return `${shown(value)} is not possible here. ${node.hint ?? ''}`
}

function isWithin(node: SchemaNode, value: number): boolean {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = node
  return value >= minimum && value <= maximum
}

/** The API server counts code points; a text has at least half as many as UTF-16 units. */
function lengthProblem(text: string, most: number): string | null {
  if (text.length <= most) return null
  const have = text.length > most * 2 ? text.length : Array.from(text).length
  return have <= most ? null : tooLong('characters', most, have)
}
