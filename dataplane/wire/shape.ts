/**
 * What decoders are made of: a shape looks at a value that came from outside and says what is wrong
 * with it, or nothing. Shapes of types are written member by member, so that the compiler names
 * the member that a decoder forgot. Strict: a member too many is as wrong as one too few.
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import { JSON_NESTING_MAX, KEY_BYTES_MAX, SENTENCE_BYTES_MAX, WAIT_MS_MAX } from './limits.ts'

export interface Fault {
  /** Place inside the value: `.matches[2].path`. */
  readonly path: string
  readonly sentence: string
}

export type Shape = (value: unknown) => Fault | null

/** One shape for each member of T; a T with a member more does not compile. */
export type Members<T> = { readonly [K in keyof T]-?: Shape }

type Fields = { readonly [name: string]: unknown }

export function fault(sentence: string): Fault {
  return { path: '', sentence }
}

function inside(step: string, found: Fault): Fault {
  return { path: `${step}${found.path}`, sentence: found.sentence }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ---- members --------------------------------------------------------------------------------

/**
 * A member that may be absent: it came into the contract after its object did, and tables recorded
 * before then still decode. Whoever writes it leaves it out rather than writing null.
 */
export function optional(shape: Shape): OptionalShape {
  return Object.assign((value: unknown) => shape(value), { presence: 'optional' } as const)
}

type OptionalShape = Shape & { readonly presence: 'optional' }

export function object<T>(members: Members<T>): Shape {
  const shapes = new Map(Object.entries<Shape>(members))
  const required = new Set(shapes.keys().filter((name) => !isOptional(shapes.get(name))))
  return (value) => {
    if (!isFields(value)) return fault('must be an object')
    let seen = 0
    // V8 keeps the names of equally shaped objects: twice as fast as asking for each member.
    for (const name in value) {
      const shape = shapes.get(name)
      if (shape === undefined) return fault(`has the unknown member ${JSON.stringify(name)}`)
      const found = shape(value[name])
      if (found !== null) return inside(`.${name}`, found)
      if (required.has(name)) seen += 1
    }
    return seen === required.size ? null : fault(`lacks "${missingIn(value, required)}"`)
  }
}

function isOptional(shape: Shape | undefined): boolean {
  return shape !== undefined && 'presence' in shape
}

function missingIn(value: Fields, required: ReadonlySet<string>): string {
  return required.values().find((name) => !Object.hasOwn(value, name)) ?? ''
}

/** The members of one variant of T, but for the tag that tells it from the others. */
type Variant<T, Tag extends string, Word> = Members<
  Omit<Extract<T, { readonly [N in Tag]: Word }>, Tag>
>

/** One of several objects, told apart by their member `kind`. */
export function union<T extends { readonly kind: string }>(
  kinds: {
    readonly [K in T['kind']]: Variant<T, 'kind', K>
  },
): Shape {
  return tagged('kind', kinds)
}

/** The same for frames, whose tag is `type`. */
export function frames<T extends { readonly type: string }>(
  types: {
    readonly [K in T['type']]: Variant<T, 'type', K>
  },
): Shape {
  return tagged('type', types)
}

type Tagged = Readonly<Record<string, Readonly<Record<string, Shape>>>>

function tagged(tag: string, variants: Tagged): Shape {
  const shapes = new Map<unknown, Shape>()
  for (const [word, members] of Object.entries(variants)) {
    shapes.set(word, object<Readonly<Record<string, Shape>>>({ [tag]: literal(word), ...members }))
  }
  return (value) => {
    if (!isFields(value)) return fault('must be an object')
    const shape = shapes.get(value[tag])
    if (shape === undefined) return inside(`.${tag}`, fault('is a word that this version lacks'))
    return shape(value)
  }
}

/** An object with exactly one member, whose name says what it is. */
export function single(members: Readonly<Record<string, Shape>>): Shape {
  const known = new Map(Object.entries(members))
  return (value) => {
    if (!isFields(value)) return fault('must be an object')
    const names = Object.keys(value)
    const name = names[0]
    const shape = name === undefined ? undefined : known.get(name)
    if (names.length !== 1 || name === undefined || shape === undefined) {
      return fault(`must have exactly one of ${[...known.keys()].join(', ')}`)
    }
    const found = shape(value[name])
    return found === null ? null : inside(`.${name}`, found)
  }
}

export function list(item: Shape, min = 0, max = Number.POSITIVE_INFINITY): Shape {
  return (value) => {
    if (!Array.isArray(value)) return fault('must be a list')
    if (value.length < min) return fault(`must have at least ${min}`)
    if (value.length > max) return fault(`must have at most ${max}`)
    const items: readonly unknown[] = value
    for (let i = 0; i < items.length; i += 1) {
      const found = item(items[i])
      if (found !== null) return inside(`[${i}]`, found)
    }
    return null
  }
}

/** Names that the user chose, each with a value of one shape. */
export function map(item: Shape): Shape {
  return (value) => {
    if (!isFields(value)) return fault('must be an object')
    for (const name of Object.keys(value)) {
      const found = key(name) ?? item(value[name])
      if (found !== null) return inside(`[${JSON.stringify(name.slice(0, 64))}]`, found)
    }
    return null
  }
}

export function nullable(shape: Shape): Shape {
  return (value) => (value === null ? null : shape(value))
}

/** Both must hold; the second may count on the first. */
export function both(first: Shape, second: Shape): Shape {
  return (value) => first(value) ?? second(value)
}

// ---- single values --------------------------------------------------------------------------

export function text(bytesMax: number, bytesMin = 0): Shape {
  return (value) => {
    if (typeof value !== 'string') return fault('must be a text')
    if (value.length < bytesMin) return fault('must not be empty')
    if (value.length * 3 <= bytesMax) return null // no character takes more than three bytes each
    return Buffer.byteLength(value) <= bytesMax ? null : fault(`is longer than ${bytesMax} bytes`)
  }
}

/** `what` completes "must be …". */
export function pattern(expression: RegExp, what: string, bytesMax = KEY_BYTES_MAX): Shape {
  return both(text(bytesMax), (value) =>
    expression.test(String(value)) ? null : fault(`must be ${what}`),
  )
}

export function oneOf(words: readonly (string | number)[]): Shape {
  const known: ReadonlySet<unknown> = new Set(words)
  return (value) => (known.has(value) ? null : fault(`must be one of ${words.join(', ')}`))
}

export function integer(min: number, max: number): Shape {
  return (value) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      return fault('must be an integer')
    return value >= min && value <= max ? null : fault(`must be from ${min} to ${max}`)
  }
}

export function literal(expected: unknown): Shape {
  return (value) => (value === expected ? null : fault(`must be ${String(expected)}`))
}

/** JSON of bounded depth: JSON.parse itself has none, and whoever walks it later has a stack. */
export function json(value: unknown): Fault | null {
  return jsonWithin(value, JSON_NESTING_MAX)
}

function jsonWithin(value: unknown, levels: number): Fault | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : fault('must be a number of JSON')
    case 'object':
      break
    default:
      return fault('must be JSON')
  }
  if (value === null) return null
  if (levels === 0) return fault(`is nested deeper than ${JSON_NESTING_MAX} levels`)
  for (const [name, member] of Object.entries(value)) {
    const found = jsonWithin(member, levels - 1)
    if (found !== null) return inside(`[${JSON.stringify(name.slice(0, 64))}]`, found)
  }
  return null
}

export const key = text(KEY_BYTES_MAX, 1)
export const keys = list(key)
export const sentence = text(SENTENCE_BYTES_MAX)
export const waitMs = integer(0, WAIT_MS_MAX)
