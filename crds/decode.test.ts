/**
 * The decoder against everything that must pass and everything that must not: the same lists that a
 * real API server is held to.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { parseAllDocuments } from 'yaml'
import { BAD_OBJECTS } from '../test/bad-objects/all.ts'
import { decode } from './decode.ts'
import { apiRouteSpec, authPolicySpec, rateLimitPolicySpec } from './fake/spec.ts'
import { Findings, PROBLEMS_MAX } from './findings.ts'
import { inspect } from './inspect.ts'
import { type CrdKind, KINDS } from './kinds.ts'
import type { Rule, SchemaNode } from './schema.ts'

type Written = { readonly [field: string]: unknown }

const GOOD: readonly Written[] = parseAllDocuments(
  readFileSync(join(import.meta.dirname, '../test/bad-objects/good.yaml'), 'utf8'),
).map((document) => document.toJS() as Written)

const NAMES = Object.keys(KINDS) as readonly CrdKind[]

function kindOf(object: Written): CrdKind {
  const kind = NAMES.find((name) => name === object['kind'])
  assert.ok(kind)
  return kind
}

function whole(kind: CrdKind, spec: unknown): Written {
  const { group, versions } = KINDS[kind]
  return { apiVersion: `${group}/${versions[0]}`, kind, metadata: { name: 'x' }, spec }
}

// ---- good and bad ---------------------------------------------------------------------------

test('every documented example is taken as it is', () => {
  assert.deepEqual([...new Set(GOOD.map(kindOf))].toSorted(), NAMES.toSorted())
  for (const object of GOOD) {
    const { spec, problems } = decode(kindOf(object), object)
    assert.deepEqual(problems, [], JSON.stringify(object['metadata']))
    assert.equal(spec, object['spec'])
  }
})

/** Schema nodes of the fields that a value fills; parts that stand in several places are one node. */
function filled(node: SchemaNode, value: unknown): readonly SchemaNode[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    const child = node.items ?? node.properties?.[key] ?? node.additionalProperties
    return child === undefined ? [] : [child, ...filled(child, item)]
  })
}

function fieldsOf(node: SchemaNode, place: string): readonly (readonly [string, SchemaNode])[] {
  const { items, additionalProperties: values, properties = {} } = node
  const named = Object.entries(properties).flatMap(([key, child]) => [
    [`${place}.${key}`, child] as const,
    ...fieldsOf(child, `${place}.${key}`),
  ])
  const others = [items, values].flatMap((child) => (child === undefined ? [] : [child]))
  return [...named, ...others.flatMap((child) => fieldsOf(child, place))]
}

test('the examples use every field of every kind', () => {
  const used = new Set(GOOD.flatMap((object) => filled(KINDS[kindOf(object)].spec, object['spec'])))
  const left = NAMES.flatMap((kind) => fieldsOf(KINDS[kind].spec, kind))
    .filter(([, node]) => !used.has(node))
    .map(([place]) => place)
  // Private members of a key exist in the schema only to be refused.
  const refused = ['AuthPolicy.authenticate.jwt.keys.d', 'AuthPolicy.authenticate.jwt.keys.k']
  assert.deepEqual(
    left.filter((place) => !/[.](defaults|overrides)[.]/.test(place)),
    refused,
  )
})

test('every bad object is refused at its path with a sentence that helps', () => {
  assert.ok(BAD_OBJECTS.length >= 80)
  for (const { name, kind, object, path, says, reason } of BAD_OBJECTS) {
    const { spec, problems } = decode(kind, object)
    assert.equal(spec, null, name)
    const found = problems.find((problem) => problem.path === path)
    assert.ok(found, `${name}: ${JSON.stringify(problems)}`)
    assert.ok(found.sentence.includes(says), `${name}: "${found.sentence}" has no "${says}"`)
    assert.equal(found.reason, reason, name)
    assert.equal(problems.length, 1, `${name}: ${JSON.stringify(problems)}`)
  }
})

test('bad objects have names of their own', () => {
  const names = BAD_OBJECTS.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
})

/** Rules of a sound value, or of its sound parts, that it does not keep. */
function brokenRules(node: SchemaNode, value: unknown): readonly string[] {
  const findings = new Findings()
  const { rules = [], ...structure } = node
  inspect(structure, value, { parent: null, step: 'spec' }, findings)
  const own = findings.count > 0 ? [] : rules.filter((rule) => !rule.check(value))
  const below =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
          const child = node.items ?? node.properties?.[key] ?? node.additionalProperties
          return child === undefined ? [] : brokenRules(child, item)
        })
      : []
  return [...own.map(ruleText), ...below]
}

function ruleText(rule: Rule<unknown>): string {
  return rule.message
}

function rulesOf(node: SchemaNode): readonly string[] {
  const children = [node.items, node.additionalProperties, ...Object.values(node.properties ?? {})]
  const below = children.flatMap((child) => (child === undefined ? [] : rulesOf(child)))
  return [...(node.rules ?? []).map(ruleText), ...below]
}

test('every rule of every schema is broken by a bad object', () => {
  const broken = new Set(
    BAD_OBJECTS.flatMap(({ kind, object }) => brokenRules(KINDS[kind].spec, object['spec'])),
  )
  const all = new Set(NAMES.flatMap((kind) => rulesOf(KINDS[kind].spec)))
  assert.deepEqual(
    [...all].filter((message) => !broken.has(message)),
    [],
  )
})

// ---- the head -------------------------------------------------------------------------------

test('what surrounds the spec is checked too', () => {
  const good = whole('ApiRoute', { rules: [{ name: 'a', match: [{}], respond: { status: 200 } }] })
  const said = (object: unknown): unknown =>
    decode('ApiRoute', object).problems.map(({ path, sentence }) => [path, sentence])
  assert.deepEqual(said({ ...good, status: { anything: true } }), [])
  assert.deepEqual(said({ ...good, apiVersion: 'fairlead.dev/v1' }), [
    ['apiVersion', 'Write apiVersion: fairlead.dev/v1alpha1.'],
  ])
  assert.deepEqual(said({ ...good, kind: 'Route' }), [['kind', 'Write kind: ApiRoute.']])
  assert.deepEqual(said({ ...good, hosts: [] }), [
    ['hosts', 'hosts belongs under spec: indent it.'],
  ])
  assert.deepEqual(said({ ...good, specs: {} }), [
    ['specs', 'There is no field "specs" here; did you mean spec?'],
  ])
  for (const nothing of [null, undefined, 7, 'x', [], () => 0]) {
    assert.equal(decode('ApiRoute', nothing).spec, null)
  }
})

// ---- hostile input --------------------------------------------------------------------------

test('a hopeless object gives a bounded list', () => {
  const rule = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x${i}`, i]))
  const { problems } = decode('ApiRoute', whole('ApiRoute', { rules: Array(64).fill(rule) }))
  assert.equal(problems.length, PROBLEMS_MAX + 1)
  assert.match(problems.at(-1)?.sentence ?? '', /more problems than these/)
  assert.ok(problems.every(({ sentence }) => sentence.length < 2048))
})

function withBody(body: unknown): Written {
  const call = { backend: { service: { name: 'a', port: 1 } }, path: '/' }
  const aggregate = { calls: { a: call }, response: { body } }
  return whole('ApiRoute', { rules: [{ name: 'a', match: [{}], aggregate }] })
}

function nested(depth: number): unknown {
  let value: unknown = 'x'
  for (let i = 0; i < depth; i++) value = { a: value }
  return value
}

test('free-form content is JSON, bounded and without nulls', () => {
  const said = (body: unknown): string =>
    decode('ApiRoute', withBody(body)).problems.map(({ sentence }) => sentence)[0] ?? 'taken'
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  assert.equal(said(nested(31)), 'taken')
  assert.match(said(nested(5000)), /more than 32 levels deep/)
  assert.match(said(cyclic), /more than 32 levels deep/)
  assert.match(said(Array(20_000).fill(1)), /At most 10000 items/)
  const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 1]))
  assert.match(said(wide), /At most 10000 fields/)
  assert.match(said('a'.repeat(65_537)), /At most 65536 characters/)
  assert.match(said({ ['k'.repeat(300)]: 1 }), /at most 256 characters/)
  assert.match(said(Number.NaN), /NaN is not JSON/)
  assert.match(said(10n), /write text, numbers or structure/)
  assert.match(said({ a: undefined }), /write text, numbers or structure/)
  assert.match(said([null]), /write "\$\{null\}"/)
  assert.match(said({ false: 1 }), /YAML 1.1 makes of off/)
})

test('a document that names itself many times over is given up in time', () => {
  let lol: unknown = ['lol']
  for (let i = 0; i < 25; i++) lol = [lol, lol, lol, lol]
  const { spec, problems } = decode('ApiRoute', withBody(lol))
  assert.equal(spec, null)
  assert.match(problems[0]?.sentence ?? '', /more than 200000 values/)
})

test('keys of Object.prototype are unknown fields like others', () => {
  const spec: unknown = JSON.parse(
    '{"rules": [], "__proto__": {}, "constructor": 1, "toString": 2}',
  )
  const { problems } = decode('ApiRoute', whole('ApiRoute', spec))
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['spec.rules', 'spec.__proto__', 'spec.constructor', 'spec.toString'],
  )
})

test('a length is counted in characters, not in halves of them', () => {
  const consumer = (displayName: string): unknown =>
    decode('Consumer', whole('Consumer', { displayName })).spec
  assert.notEqual(consumer('😀'.repeat(256)), null)
  assert.equal(consumer('😀'.repeat(257)), null)
})

test('random JSON never throws and never passes as what it is not', () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.jsonValue(), (kind, spec) => {
      const decoded = decode(kind, whole(kind, spec))
      assert.equal(decoded.spec === null, decoded.problems.length > 0)
      const isObject = typeof spec === 'object' && spec !== null && !Array.isArray(spec)
      if (!isObject) assert.equal(decoded.spec, null)
      assert.equal(decode(kind, spec).spec, null)
    }),
    { numRuns: 500 },
  )
})

// ---- random good ones, and steps away from good ones ----------------------------------------

test('generated good specs pass', () => {
  const kinds = {
    ApiRoute: apiRouteSpec,
    AuthPolicy: authPolicySpec,
    RateLimitPolicy: rateLimitPolicySpec,
  } as const satisfies Partial<Record<CrdKind, fc.Arbitrary<object>>>
  for (const [kind, specs] of Object.entries(kinds)) {
    const name = kindOf({ kind })
    fc.assert(
      fc.property(specs, (spec) => {
        assert.deepEqual(decode(name, whole(name, spec)).problems, [])
      }),
      { numRuns: 200 },
    )
  }
})

/** Replaces, removes or adds one value somewhere. */
function mutated(value: unknown, choices: readonly number[], put: unknown): unknown {
  const [choice = 0, ...rest] = choices
  if (typeof value !== 'object' || value === null || rest.length === 0) return put
  const entries: (readonly [string, unknown])[] = Object.entries(value)
  const at = choice % (entries.length + 1)
  const [key, item] = entries[at] ?? ['added', undefined]
  if (choice % 7 === 0) entries.splice(at, 1)
  else entries.splice(at, 1, [key, mutated(item, rest, put)])
  return Array.isArray(value) ? entries.map(([, one]) => one) : Object.fromEntries(entries)
}

test('one step away from good ones nothing throws, and what passes suits typebox too', () => {
  const put = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('/a', '5s', 'x', 1, true, {}))
  const steps = fc.array(fc.nat(100), { minLength: 1, maxLength: 10 })
  const taken = { count: 0 }
  fc.assert(
    fc.property(fc.constantFrom(...GOOD), steps, put, (object, choices, value) => {
      const kind = kindOf(object)
      const decoded = decode(kind, { ...object, spec: mutated(object['spec'], choices, value) })
      if (decoded.spec === null) return
      taken.count += 1
      assert.ok(Value.Check(KINDS[kind].spec, decoded.spec))
    }),
    { numRuns: 1000 },
  )
  assert.ok(taken.count > 20, `${taken.count} passed`)
})
