/**
 * Which answers of a rule are compressed, with the defaults that the schema documents.
 * Pinned by traffic.test.ts: "compression has its documented defaults".
 */
import type { CompressionSpec } from '../../crds/traffic.ts'
import type { Compression } from '#wire/traffic'

const TYPES = [
  'text/*',
  'application/json',
  'application/javascript',
  'application/xml',
  'image/svg+xml',
]
const MIN_BYTES = 1024

export function compileCompression({ types, minBytes }: CompressionSpec): Compression {
  const named = types === undefined || types.length === 0 ? TYPES : types
  return {
    types: [...new Set(named.map((type) => type.toLowerCase()))],
    minBytes: minBytes ?? MIN_BYTES,
  }
}
