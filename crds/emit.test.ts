/**
 * The manifests: structural schemas that every supported API server takes, the same text for the same
 * schema, bounded, and documented field by field.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { definition, manifest, manifestFile } from './emit.ts'
import { KINDS, type KindFacts } from './kinds.ts'
import type { SchemaNode } from './schema.ts'

const folder = join(import.meta.dirname, 'manifests')
const kinds: readonly KindFacts[] = Object.values(KINDS)

test('the manifests are what the schemas say', () => {
  for (const facts of kinds) {
    const committed = readFileSync(join(folder, manifestFile(facts)), 'utf8')
    assert.equal(manifest(facts), committed, 'run `node crds/generate.ts`')
    assert.deepEqual(parse(committed), definition(facts), 'YAML and object differ')
  }
})

test('every kind has a manifest and every manifest a kind', () => {
  const files = globSync('**/*.yaml', { cwd: folder }).toSorted()
  assert.deepEqual(files, kinds.map(manifestFile).toSorted())
})

test('a manifest is at most 200 KB', () => {
  for (const facts of kinds) {
    const bytes = Buffer.byteLength(manifest(facts))
    assert.ok(bytes <= 200_000, `${facts.kind}: ${bytes} bytes`)
  }
})

test('short names are unique and every kind is in the category fairlead', () => {
  const names = kinds.flatMap((facts) => [...facts.shortNames, facts.plural])
  assert.equal(new Set(names).size, names.length)
  for (const facts of kinds) {
    const text = manifest(facts)
    assert.match(text, /categories: \[ fairlead \]/, facts.kind)
  }
})

test('kinds that are reported on have a status and columns that say whether they work', () => {
  for (const facts of kinds.filter(({ status }) => status !== null)) {
    const columns = facts.columns.map(({ name }) => name)
    for (const name of ['Accepted', 'Programmed', 'Reason', 'Rollout', 'Age']) {
      assert.ok(columns.includes(name), `${facts.kind} has no column ${name}`)
    }
    const status: SchemaNode = facts.status ?? {}
    const fields = Object.keys(status.properties ?? {})
    assert.deepEqual(fields.slice(0, 3), ['observedGeneration', 'conditions', 'problems'])
  }
})

type Emitted = Readonly<Record<string, unknown>>

/** Every schema node of a manifest, with its place. */
function nodesOf(node: Emitted, place: string): readonly (readonly [string, Emitted])[] {
  const properties = Object.entries((node['properties'] ?? {}) as Record<string, Emitted>)
  const values = node['additionalProperties'] as Emitted | undefined
  const items = node['items'] as Emitted | undefined
  return [
    [place, node] as const,
    ...properties.flatMap(([name, child]) => nodesOf(child, `${place}.${name}`)),
    ...(values === undefined ? [] : nodesOf(values, `${place}{}`)),
    ...(items === undefined ? [] : nodesOf(items, `${place}[]`)),
  ]
}

/** As the YAML reads, once for each kind. */
const SCHEMAS = new Map<string, Emitted>(
  kinds.map((facts) => {
    const crd = parse(manifest(facts)) as {
      spec: { versions: [{ schema: { openAPIV3Schema: Emitted } }] }
    }
    return [facts.kind, crd.spec.versions[0].schema.openAPIV3Schema]
  }),
)

function schemaOf(facts: KindFacts): Emitted {
  return SCHEMAS.get(facts.kind) ?? {}
}

/** Everything under spec and status. */
function ownNodes(facts: KindFacts): readonly (readonly [string, Emitted])[] {
  const own = /\.(spec|status)(\W|$)/
  return nodesOf(schemaOf(facts), facts.kind).filter(([place]) => own.test(place))
}

const ALLOWED = new Set([
  'type',
  'description',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
])

test('every manifest is a structural schema without a forbidden keyword', () => {
  for (const facts of kinds) {
    for (const [place, node] of nodesOf(schemaOf(facts), facts.kind)) {
      const strange = Object.keys(node).filter((keyword) => !ALLOWED.has(keyword))
      assert.deepEqual(strange, [], place)
      const free =
        node['x-kubernetes-preserve-unknown-fields'] ?? node['x-kubernetes-int-or-string']
      assert.ok(node['type'] !== undefined || free === true, `${place} has no type`)
      const both = node['properties'] !== undefined && node['additionalProperties'] !== undefined
      assert.ok(!both, `${place} has properties and additionalProperties`)
    }
  }
})

/** What must be there so that a value of the type is bounded. */
const BOUNDS: Readonly<Record<string, readonly string[]>> = {
  array: ['items', 'maxItems', 'x-kubernetes-list-type'],
  integer: ['minimum', 'maximum'],
}

test('every list, map, text and number is bounded', () => {
  for (const facts of kinds) {
    for (const [place, node] of ownNodes(facts)) {
      for (const bound of BOUNDS[String(node['type'])] ?? []) {
        assert.ok(node[bound] !== undefined, `${place} has no ${bound}`)
      }
      if (node['additionalProperties'] !== undefined) assert.ok(node['maxProperties'], place)
      if (node['type'] === 'string') assert.ok(node['enum'] ?? node['maxLength'], place)
    }
  }
})

test('every property has a description with an example', () => {
  for (const facts of kinds) {
    for (const [place, node] of ownNodes(facts)) {
      if (!/\.\w+$/.test(place)) continue // items and entries are shown by their list or map
      assert.match(String(node['description']), /\S Example: `.+`\./, place)
    }
  }
})

test('a list that is merged is merged by a required field', () => {
  for (const facts of kinds) {
    for (const [place, node] of ownNodes(facts)) {
      if (node['x-kubernetes-list-type'] !== 'map') continue
      const items = node['items'] as Emitted
      for (const key of node['x-kubernetes-list-map-keys'] as readonly string[]) {
        assert.ok((items['required'] as readonly string[]).includes(key), `${place}: ${key}`)
      }
    }
  }
})

test('every rule has a message that is one sentence on one line', () => {
  for (const facts of kinds) {
    for (const [place, node] of ownNodes(facts)) {
      for (const rule of (node['x-kubernetes-validations'] ?? []) as readonly Emitted[]) {
        assert.match(
          String(rule['message']),
          /^[A-Za-z].*[.]$/,
          `${place}: ${String(rule['rule'])}`,
        )
      }
    }
  }
})
