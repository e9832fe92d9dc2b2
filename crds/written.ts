/**
 * Every text of a spec that somebody has to parse: expressions, templates and patterns, found by the
 * schema, so that a field that is added is never forgotten.
 * Pinned by written.test.ts: "each text is visited with its form, wherever it stands".
 */
import { isRecord } from './inspect.ts'
import { type CrdKind, KINDS } from './kinds.ts'
import type { Form, SchemaNode } from './schema.ts'

export type Visit = (form: Form, text: string) => void

/** What does not fit the schema is passed over: the decoder tells of it. */
export function eachWritten(kind: CrdKind, spec: unknown, visit: Visit): void {
  walk(KINDS[kind].spec, spec, visit)
}

function walk(node: SchemaNode, value: unknown, visit: Visit): void {
  if (node.form !== undefined) visitAll(node.form, value, visit)
  else if (Array.isArray(value)) walkItems(node, value, visit)
  else if (isRecord(value)) walkFields(node, value, visit)
}

function walkItems({ items }: SchemaNode, values: readonly unknown[], visit: Visit): void {
  if (items === undefined) return
  for (const value of values) walk(items, value, visit)
}

type Entries = { readonly [name: string]: unknown }

function walkFields(node: SchemaNode, value: Entries, visit: Visit): void {
  const { properties = {}, additionalProperties } = node
  for (const [name, part] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (known !== undefined) walk(known, part, visit)
  }
}

/** Of a document of the user's own shape every text is a template, but no name is. */
function visitAll(form: Form, value: unknown, visit: Visit): void {
  if (typeof value === 'string') visit(form, value)
  else if (Array.isArray(value)) for (const item of value) visitAll(form, item, visit)
  else if (isRecord(value)) for (const part of Object.values(value)) visitAll(form, part, visit)
}
