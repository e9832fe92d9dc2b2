/**
 * CEL's values as the runtime holds them, chosen so that parsed JSON is already a value. A number
 * that is a safe integer is an int, every other number is a double; what would be ambiguous has a
 * class: ints beyond 2^53 are bigint, doubles with an integral value are Double.
 * Pinned by expression-values.test.ts: "every value knows its CEL type".
 */
import type { CelValue } from './expression-types.ts'

/** Values that are objects to JavaScript but not plain maps to CEL. */
export abstract class Special {
  abstract readonly type: string
}

/**
 * A double that a plain number cannot stand for: with an integral value, or with a spelling in
 * JSON (`12.50`) that has to survive.
 */
export class Double extends Special {
  readonly type = 'double'
  readonly value: number
  readonly text: string | null
  constructor(value: number, text: string | null = null) {
    super()
    this.value = value
    this.text = text
  }
}

export class Uint extends Special {
  readonly type = 'uint'
  readonly value: bigint
  constructor(value: bigint) {
    super()
    this.value = value
  }
}

export class Timestamp extends Special {
  readonly type = 'google.protobuf.Timestamp'
  /** Since 1970; negative before it. */
  readonly seconds: number
  /** 0 to 999,999,999, counted forwards. */
  readonly nanos: number
  constructor(seconds: number, nanos: number) {
    super()
    this.seconds = seconds
    this.nanos = nanos
  }
}

export class Duration extends Special {
  readonly type = 'google.protobuf.Duration'
  readonly nanos: bigint
  constructor(nanos: bigint) {
    super()
    this.nanos = nanos
  }
}

/** What `type(x)` gives, and what the names `int`, `string` … stand for. */
export class CelType extends Special {
  readonly type = 'type'
  readonly name: string
  constructor(name: string) {
    super()
    this.name = name
  }
}

/** Keys as a map compares them: 1, 1u and 1.0 are one key. */
export type MapKey = string | boolean | number | bigint

export interface MapEntry {
  readonly key: CelValue
  readonly value: CelValue
}

/** A map that a plain object cannot be: other keys than strings, or an order that must survive. */
export class CelMap extends Special {
  readonly type = 'map'
  readonly entries: ReadonlyMap<MapKey, MapEntry>
  constructor(entries: ReadonlyMap<MapKey, MapEntry>) {
    super()
    this.entries = entries
  }
}

/**
 * A list or a map with its text: what passes through whole goes out byte by byte, and nothing in it
 * is lost to our reading of numbers or order. Everything but `toJson` sees the value.
 */
export class JsonText extends Special {
  readonly type = 'json'
  readonly text: string
  readonly value: Plain
  constructor(text: string, value: Plain) {
    super()
    this.text = text
    this.value = value
  }
}

export type PlainMap = { readonly [name: string]: CelValue }
/** What operators work on. */
export type Plain = Exclude<CelValue, JsonText>

export function plain(value: CelValue): Plain {
  return value instanceof JsonText ? value.value : value
}

export function isList(value: unknown): value is readonly CelValue[] {
  return Array.isArray(value)
}

/** By its prototype, which no class of ours, no array and no failure has. */
export function isPlainMap(value: unknown): value is PlainMap {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

export function isMap(value: CelValue): value is PlainMap | CelMap {
  return isPlainMap(value) || value instanceof CelMap
}

/** Keys as CEL values, in their order. */
export function keysOf(map: PlainMap | CelMap): readonly CelValue[] {
  if (!(map instanceof CelMap)) return Object.keys(map)
  return Array.from(map.entries.values(), (entry) => entry.key)
}

export function sizeOf(map: PlainMap | CelMap): number {
  return map instanceof CelMap ? map.entries.size : Object.keys(map).length
}

/** The key under which a map holds the value, or null where it cannot be a key. */
export function mapKey(value: Plain): MapKey | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value
    case 'number':
      return Number.isNaN(value) ? null : value
    case 'object':
      if (value instanceof Uint) return intOf(value.value)
      return value instanceof Double ? value.value : null
    default:
      return null
  }
}

/** Undefined: no such key. */
export function lookUp(map: PlainMap | CelMap, key: MapKey): CelValue | undefined {
  if (map instanceof CelMap) return map.entries.get(key)?.value
  if (typeof key !== 'string' || !Object.hasOwn(map, key)) return undefined
  return map[key]
}

/** Names that a plain object would move to the front, or would not hold as its own. */
export function needsCelMap(name: string): boolean {
  return name === '__proto__' || /^(?:0|[1-9]\d{0,9})$/.test(name)
}

/** Null where two keys are one, or a key is of a type that is none. */
export function mapOf(entries: readonly MapEntry[]): PlainMap | CelMap | null {
  const map = new Map<MapKey, MapEntry>()
  const object: { [name: string]: CelValue } = {}
  let odd = false
  for (const entry of entries) {
    const key = isDouble(entry.key) ? null : mapKey(plain(entry.key))
    if (key === null || map.has(key)) return null
    map.set(key, entry)
    if (typeof key !== 'string' || needsCelMap(key)) odd = true
    else object[key] = entry.value
  }
  return odd ? new CelMap(map) : object
}

/** The one spelling of an int64: a number where that is exact, else a bigint. */
export function intOf(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/** The one spelling of a double. */
export function doubleOf(value: number): number | Double {
  return Number.isSafeInteger(value) ? new Double(value) : value
}

export function isInt(value: CelValue): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

export function isDouble(value: CelValue): boolean {
  return value instanceof Double || (typeof value === 'number' && !Number.isSafeInteger(value))
}

/** The number behind an int, a uint or a double, or null. */
export function numeric(value: Plain): number | bigint | null {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  return value instanceof Double || value instanceof Uint ? value.value : null
}

export function typeName(value: CelValue): string {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return Number.isSafeInteger(value) ? 'int' : 'double'
    default:
      return objectTypeName(value)
  }
}

function objectTypeName(value: CelValue): string {
  if (value === null) return 'null_type'
  if (value instanceof JsonText) return typeName(value.value)
  if (value instanceof Special) return value.type
  if (value instanceof Uint8Array) return 'bytes'
  return isList(value) ? 'list' : 'map'
}
