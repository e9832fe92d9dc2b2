/**
 * Random values that are structurally sound for a schema, so that its rules may be asked.
 */
import fc from 'fast-check'
import type { SchemaNode } from '../schema.ts'

type Values = fc.Arbitrary<unknown>

/** Below `depth` only what is required is filled in. */
export function valueOf(node: SchemaNode, depth: number): Values {
  switch (node.type) {
    case 'object':
      return objectOf(node, depth)
    case 'array':
      return listOf(node, depth)
    case 'string':
      return textOf(node)
    case 'integer':
      return numberOf(node)
    case 'boolean':
      return fc.boolean()
    case undefined:
      return node['x-kubernetes-int-or-string'] === true ? eitherOf(node) : FREE
    default:
      return node.type satisfies never
  }
}

const FREE = fc.oneof(fc.constant('x'), fc.nat(9), fc.constant({ a: [1, 'b'] }), fc.boolean())

function objectOf(node: SchemaNode, depth: number): Values {
  const { properties, additionalProperties } = node
  if (additionalProperties !== undefined) {
    return fc.dictionary(KEY, valueOf(additionalProperties, depth - 1), {
      minKeys: node.minProperties ?? 0,
      maxKeys: 3,
    })
  }
  const required = node.required ?? []
  const names = Object.keys(properties ?? {})
  const filled = depth > 0 ? names : names.filter((name) => required.includes(name))
  const entries = filled.map((name) => [name, valueOf(properties?.[name] ?? {}, depth - 1)])
  const model: Record<string, Values> = Object.fromEntries(entries)
  const either = fc.record(model, { requiredKeys: required.filter((name) => name in model) })
  return fc.oneof(either, sparse(either, required))
}

/** One-of rules are kept only by objects with few fields. */
function sparse(objects: fc.Arbitrary<object>, required: readonly string[]): Values {
  return fc.tuple(objects, fc.array(fc.nat(30), { maxLength: 2 })).map(([object, picks]) => {
    const optional = Object.entries(object).filter(([name]) => !required.includes(name))
    const kept = optional.filter((_, i) => picks.some((pick) => pick % optional.length === i))
    const rest = Object.entries(object).filter(([name]) => required.includes(name))
    return Object.fromEntries([...rest, ...kept])
  })
}

function listOf(node: SchemaNode, depth: number): Values {
  const options = { minLength: node.minItems ?? 0, maxLength: Math.min(node.maxItems ?? 3, 3) }
  return fc.array(valueOf(node.items ?? {}, depth - 1), options)
}

const KEY = fc.oneof(
  fc.constantFrom(
    'a',
    'b-c',
    'order',
    'in',
    'Upper',
    'a.b',
    'example.com/a',
    'x y',
    'ü',
    '-',
    'a1',
  ),
  fc.constantFrom('a'.repeat(63), 'a'.repeat(64)),
  fc.string({ maxLength: 6 }),
)

/** Made of what the patterns look for, and of what they must not let pass. */
const PIECES = [
  'a Z 0 9 - . _ / ** * {id} { } : @ % " \' \\ # ? ${ https:// http:// 10.0.0.0/8 1.2.3.4 ::1/128',
  '5% 100% 60/1m 5s 1h30m shop ms 2026-01-01T00:00:00Z +02:00 consumer header: auth. host HOST te',
  'x-fairlead-a X-Fairlead- in request application/json text/* GET \u007f ü \u{1F600} \u2028',
].flatMap((line) => line.split(' '))

const WORDS = fc
  .array(fc.constantFrom(...PIECES, '', ' ', '\t', '\n'), { maxLength: 4 })
  .map((pieces) => pieces.join(''))

/** What keeps one rule or another, for nodes without an example. */
const SOUND = [
  'https://app.example.com a@b.example /a/{id}/** 10.0.0.0/8 2001:db8::/32 GET consumer header:x-a',
  'application/json shop x-tenant 60/1m 5s 5% 2026-01-01T00:00:00Z books.read @method',
  `${'0'.repeat(64)} ${'a'.repeat(63)}`,
].flatMap((line) => line.split(' '))

function textOf(node: SchemaNode): Values {
  if (node.enum !== undefined) return fc.constantFrom(...node.enum)
  const { minLength = 0, maxLength = 1000, example } = node
  const texts = fc.oneof(
    WORDS,
    fc.string({ maxLength: 8 }),
    fc.constant((example ?? 'shop').replace(/^"|"$/gu, '')),
    fc.constantFrom(...SOUND),
  )
  return texts.filter((text) => text.length >= minLength && text.length <= maxLength)
}

function numberOf(node: SchemaNode): Values {
  const { minimum = 0, maximum = 100 } = node
  return fc.oneof(
    fc.integer({ min: minimum, max: maximum }),
    fc.integer({ min: minimum, max: Math.min(maximum, minimum + 10) }),
  )
}

function eitherOf(node: SchemaNode): Values {
  const texts = fc.constantFrom('10Mi', '2xx', '200-204', '${a}').filter((text) => {
    return node.compiled?.test(text) === true
  })
  return fc.oneof(numberOf(node), texts)
}
