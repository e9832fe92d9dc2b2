/**
 * Reads parts of objects whose schema is not ours (Service, EndpointSlice, ReferenceGrant, Secret):
 * whatever is missing or of another type counts as absent, so that a strange object in a folder can
 * never stop a compile.
 * Pinned by content.test.ts: "what is missing or of another type counts as absent".
 */
import { isRecord } from '../../crds/inspect.ts'
import { parseAddress } from '#wire/address'

type Fields = { readonly [field: string]: unknown }

const NO_FIELDS: Fields = {}
const NO_ITEMS: readonly unknown[] = []

export function fieldsOf(value: unknown): Fields {
  return isRecord(value) ? value : NO_FIELDS
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NO_ITEMS
}

/** Null also where the text is empty: Kubernetes writes both for "not set". */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function portOf(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return null
  return value >= 1 && value <= 65_535 ? value : null
}

/** An IP address as Kubernetes writes one: in a folder, no API server has looked at it before. */
export function addressOf(value: unknown): string | null {
  const text = textOf(value)
  return text === null || text.includes('%') || parseAddress(text) === null ? null : text
}
