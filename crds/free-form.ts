/**
 * Content whose shape is the user's own (bodies, fallbacks, keys): it must be JSON that survives the
 * way through kubectl, and bounded.
 * Pinned by decode.test.ts: "free-form content is JSON, bounded and without nulls".
 */
import { child, type Findings, type Place } from './findings.ts'
import { NULL_IN_CONTENT, NULL_IN_TEMPLATE, booleanKey, shown, tooLong } from './sentence.ts'
import type { SchemaNode } from './schema.ts'

/** Bodies that people write nest a handful of levels; the walks over them are recursive. */
export const DEPTH_MAX = 32

/** Of one string, in UTF-16 units: the largest fixed body. */
const TEXT_MAX = 65_536
const KEY_MAX = 256
const ENTRIES_MAX = 10_000

interface Within {
  readonly node: SchemaNode
  readonly findings: Findings
}

export function inspectFreeForm(value: unknown, place: Place, within: Within, depth = 0): void {
  const { node, findings } = within
  if (findings.visit(place) === 'ended') return
  if (value === null) {
    findings.add(place, 'Invalid', node.form === 'template' ? NULL_IN_TEMPLATE : NULL_IN_CONTENT)
  } else if (typeof value !== 'object') {
    inspectScalar(value, place, findings)
  } else if (depth >= DEPTH_MAX) {
    findings.add(place, 'Invalid', `This is nested more than ${DEPTH_MAX} levels deep.`)
  } else if (Array.isArray(value)) {
    inspectItems(value, place, within, depth)
  } else {
    inspectEntries(value, place, within, depth)
  }
}

function inspectScalar(value: unknown, place: Place, findings: Findings): void {
  switch (typeof value) {
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) findings.add(place, 'Invalid', `${value} is not JSON.`)
      return
    case 'string':
      if (value.length <= TEXT_MAX) return
      findings.add(place, 'Invalid', tooLong('characters', TEXT_MAX, value.length))
      return
    default:
      findings.add(place, 'Invalid', `This is ${shown(value)}; write text, numbers or structure.`)
  }
}

function inspectItems(
  items: readonly unknown[],
  place: Place,
  within: Within,
  depth: number,
): void {
  if (items.length > ENTRIES_MAX) {
    within.findings.add(place, 'Invalid', tooLong('items', ENTRIES_MAX, items.length))
    return
  }
  items.forEach((item, i) => inspectFreeForm(item, child(place, i), within, depth + 1))
}

function inspectEntries(object: object, place: Place, within: Within, depth: number): void {
  const entries = Object.entries(object)
  if (entries.length > ENTRIES_MAX) {
    within.findings.add(place, 'Invalid', tooLong('fields', ENTRIES_MAX, entries.length))
    return
  }
  for (const [key, item] of entries) {
    const at = child(place, key)
    if (key === 'true' || key === 'false') within.findings.add(at, 'Invalid', booleanKey(key))
    else if (key.length > KEY_MAX) within.findings.add(at, 'Invalid', LONG_KEY)
    else inspectFreeForm(item, at, within, depth + 1)
  }
}

const LONG_KEY = `The name of a field has at most ${KEY_MAX} characters.`
