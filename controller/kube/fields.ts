/**
 * Reads fields of JSON that somebody else wrote: absent, or of another type, is null.
 * Pinned by fields.test.ts: "what is absent or of another type is null, at every level".
 */
import { isRecord } from '../../crds/inspect.ts'

export function at(value: unknown, ...path: readonly string[]): unknown {
  let inner = value
  for (const key of path) inner = isRecord(inner) ? inner[key] : undefined
  return inner
}

export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : null
}

export function numberAt(value: unknown, ...path: readonly string[]): number | null {
  const found = at(value, ...path)
  return typeof found === 'number' ? found : null
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found : []
}
