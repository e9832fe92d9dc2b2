/**
 * Checks one value against one schema: the plain twin of what the API server does with the manifest.
 * Rules run only on values that are structurally sound, so that they may trust their types.
 * Pinned by decode.test.ts: "every bad object is refused at its path with a sentence that helps".
 */
import { child, type Findings, type Place } from './findings.ts'
import { inspectFreeForm } from './free-form.ts'
import type { Rule, SchemaNode } from './schema.ts'
import { scalarProblem } from './scalar.ts'
import { booleanKey, missing, shown, tooFew, tooLong, unknownField } from './sentence.ts'

export function inspect(node: SchemaNode, value: unknown, place: Place, findings: Findings): void {
  if (findings.visit(place) === 'ended') return
  const before = findings.count
  inspectStructure(node, value, place, findings)
  if (findings.count === before) inspectRules(node, value, place, findings)
}

function inspectStructure(
  node: SchemaNode,
  value: unknown,
  place: Place,
  findings: Findings,
): void {
  if (node.type === 'object' && isRecord(value)) inspectObject(node, value, place, findings)
  else if (node.type === 'array' && Array.isArray(value)) inspectList(node, value, place, findings)
  else if (node.type !== undefined || node['x-kubernetes-int-or-string'] === true) {
    const sentence = scalarProblem(node, value)
    if (sentence !== null) findings.add(place, 'Invalid', sentence)
  } else inspectFreeForm(value, place, { node, findings })
}

// ---- objects and lists ----------------------------------------------------------------------

type Entries = { readonly [key: string]: unknown }

export function isRecord(value: unknown): value is Entries {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function inspectObject(node: SchemaNode, value: Entries, place: Place, findings: Findings): void {
  const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = node
  const keys = Object.keys(value)
  if (keys.length > maxProperties) {
    const sentence = node.hint ?? tooLong('entries', maxProperties, keys.length)
    return findings.add(place, 'Invalid', sentence)
  }
  for (const key of keys) {
    if (findings.visit(place) === 'ended') return
    inspectEntry(node, key, value[key], { place: child(place, key), findings })
  }
  if (keys.length < minProperties) {
    findings.add(place, 'Invalid', node.hint ?? tooFew(node, 'entry', minProperties))
  }
  inspectRequired(node, value, place, findings)
}

function inspectRequired(node: SchemaNode, value: Entries, place: Place, findings: Findings): void {
  for (const name of node.required ?? []) {
    const wanted = node.properties?.[name]
    if (wanted === undefined || Object.hasOwn(value, name)) continue
    findings.add(child(place, name), 'Invalid', missing(wanted))
  }
}

interface At {
  readonly place: Place
  readonly findings: Findings
}

function inspectEntry(node: SchemaNode, key: string, value: unknown, at: At): void {
  const { place, findings } = at
  if (key === 'true' || key === 'false') return findings.add(place, 'Invalid', booleanKey(key))
  const { properties = {}, additionalProperties } = node
  const known = Object.hasOwn(properties, key) ? properties[key] : additionalProperties
  if (known !== undefined) return inspect(known, value, place, findings)
  if (node['x-kubernetes-preserve-unknown-fields'] === true) {
    return inspectFreeForm(value, place, { node, findings })
  }
  findings.add(place, 'UnknownField', unknownField(key, Object.keys(properties)))
}

function inspectList(
  node: SchemaNode,
  items: readonly unknown[],
  place: Place,
  findings: Findings,
): void {
  const { minItems = 0, maxItems = 0 } = node
  if (items.length > maxItems) {
    return findings.add(place, 'Invalid', tooLong('items', maxItems, items.length))
  }
  if (items.length < minItems) findings.add(place, 'Invalid', tooFew(node, 'item', minItems))
  const item: SchemaNode = node.items ?? {}
  items.forEach((value, i) => inspect(item, value, child(place, i), findings))
  const [key] = node['x-kubernetes-list-map-keys'] ?? []
  if (key !== undefined) inspectKeys(items, key, place, findings)
}

/** A list that is keyed by a field holds every value of it once. */
function inspectKeys(
  items: readonly unknown[],
  key: string,
  place: Place,
  findings: Findings,
): void {
  const first = new Map<unknown, number>()
  for (const [i, item] of items.entries()) {
    const value = isRecord(item) ? item[key] : undefined
    if (typeof value !== 'string') continue
    const taken = first.get(value)
    if (taken === undefined) first.set(value, i)
    else {
      const sentence = `Item ${taken} has the ${key} ${shown(value)} already; choose another.`
      findings.add(child(place, i), 'Invalid', sentence)
    }
  }
}

// ---- rules ----------------------------------------------------------------------------------

function inspectRules(node: SchemaNode, value: unknown, place: Place, findings: Findings): void {
  for (const rule of node.rules ?? []) {
    const sentence = broken(rule, value)
    if (sentence === null) continue
    const at = rule.at === undefined ? place : child(place, rule.at)
    findings.add(at, 'Invalid', sentence)
    if (typeof value === 'string') return // further ones would only say it again
  }
}

/** A rule takes the type of its own node, which the value was just found to have. */
function broken(rule: Rule<unknown>, value: unknown): string | null {
  if (rule.check(value)) return null
  if (rule.say !== undefined) return rule.say(value)
  return isRecord(value) || Array.isArray(value)
    ? rule.message
    : `${shown(value)} is not possible here. ${rule.message}`
}
