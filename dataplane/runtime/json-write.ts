/**
 * CEL values as JSON text: what came with a text or a spelling goes out with it, and everything is
 * measured before it is written, because a short list can name one large value many times.
 * Pinned by json.test.ts: "every document comes out as it went in".
 */
import { AGGREGATE_BYTES_MAX } from '#wire/limits'
import { durationText, timestampText } from './expression-time.ts'
import { ExpressionFailure, type CelValue } from './expression-types.ts'
import {
  CelMap,
  CelType,
  Double,
  Duration,
  isList,
  JsonText,
  numeric,
  Special,
  Timestamp,
  Uint,
} from './expression-values.ts'

const TOO_LARGE = new ExpressionFailure('the document is larger than is allowed')

interface Measure {
  left: number
  /** Something in it is not JavaScript's own. */
  special: 'yes' | 'no'
}

/** `bytesMax` is measured in UTF-16 units; the text may be somewhat larger by what is escaped. */
export function toJson(
  value: CelValue,
  bytesMax = AGGREGATE_BYTES_MAX,
): string | ExpressionFailure {
  const measure: Measure = { left: bytesMax, special: 'no' }
  take(value, measure)
  if (measure.left < 0) return TOO_LARGE
  return measure.special === 'no' ? JSON.stringify(value) : write(value)
}

/** Stops where nothing is left. */
function take(value: CelValue, measure: Measure): void {
  measure.left -= 2
  if (measure.left < 0) return
  if (typeof value === 'string') measure.left -= value.length
  else if (typeof value === 'bigint') measure.special = 'yes'
  else if (typeof value === 'object' && value !== null) takeObject(value, measure)
}

function takeObject(value: object & CelValue, measure: Measure): void {
  if (isList(value)) {
    for (const item of value) take(item, measure)
  } else if (value instanceof Special || value instanceof Uint8Array) {
    measure.special = 'yes'
    measure.left -= sizeOf(value, measure)
  } else {
    for (const name of Object.keys(value)) {
      measure.left -= name.length + 2
      take(value[name] ?? null, measure)
    }
  }
}

function sizeOf(value: Special | Uint8Array, measure: Measure): number {
  if (value instanceof JsonText) return value.text.length
  if (value instanceof Uint8Array) return value.length * 1.4
  if (value instanceof CelMap) {
    for (const entry of value.entries.values()) {
      take(entry.key, measure)
      take(entry.value, measure)
    }
  }
  return 16
}

function write(value: CelValue): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(write).join(',')}]`
  if (value instanceof Special) return writeSpecial(value)
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'))
  const fields = Object.entries(value).map(
    ([name, child]) => `${JSON.stringify(name)}:${write(child)}`,
  )
  return `{${fields.join(',')}}`
}

function writeSpecial(value: Special): string {
  if (value instanceof JsonText) return value.text
  if (value instanceof CelMap) {
    const fields = [...value.entries.values()].map(
      ({ key, value: child }) => `${JSON.stringify(keyText(key))}:${write(child)}`,
    )
    return `{${fields.join(',')}}`
  }
  if (value instanceof Double) return value.text ?? JSON.stringify(value.value)
  if (value instanceof Uint) return value.value.toString()
  return JSON.stringify(specialText(value))
}

function specialText(value: Special): string | null {
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof Duration) return durationText(value)
  return value instanceof CelType ? value.name : null
}

function keyText(key: CelValue): string {
  if (typeof key === 'string') return key
  if (typeof key === 'boolean') return String(key)
  return key instanceof JsonText ? keyText(key.value) : String(numeric(key))
}
