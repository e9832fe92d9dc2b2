/**
 * Whatever users write, compile makes tables that the contract accepts: an object that no data plane
 * could run would hold back the whole table of its gateway, and with it everybody else's changes.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createCompiler } from '../../controller/compile/compile.ts'
import type { CompiledTable } from '../../controller/compile/compiled.ts'
import type { Resource } from '../../controller/compile/snapshot.ts'
import { certificate, createEncoder, fingerprint, sha256 } from '../../controller/push/encode.ts'
import { defaultGateway } from '../../controller/watch/folder.ts'
import { parseFile } from '../../controller/watch/folder-document.ts'
import { ingest } from '../../controller/watch/ingest.ts'
import { ALL_KINDS, createStore } from '../../controller/watch/store.ts'
import { mutated } from '../../dataplane/wire/fake/twin.ts'
import { check } from '#wire/check'
import { digestText, xorOf } from '#wire/digest'

const root = join(import.meta.dirname, '..')

type Raw = Readonly<Record<string, unknown>>

/** Every golden walk, and every field of every kind. */
const WORLDS: readonly (readonly Raw[])[] = globSync(
  ['walk/*/*/in.yaml', 'bad-objects/good.yaml'],
  {
    cwd: root,
  },
)
  .toSorted()
  .map((file) => parseFile(readFileSync(join(root, file), 'utf8')).objects.map(({ raw }) => raw))

/** As a folder would: what is no object is left out, what has no namespace is in `default`. */
function resourceOf(raw: Raw, at: number): Resource | null {
  const kind = ALL_KINDS.find((known) => known === raw['kind'])
  if (kind === undefined) return null
  const resource = ingest(kind, raw)
  const namespace = kind === 'Namespace' ? '' : resource.namespace || 'default'
  return { ...resource, namespace, name: resource.name || 'nameless', uid: `uid-${at}` }
}

function tablesOf(world: readonly Raw[]): ReadonlyMap<string, CompiledTable> {
  const store = createStore(() => ({
    defaultGateway: defaultGateway(store.all('ApiGateway')),
    unresolvedServices: 'sample',
  }))
  for (const [at, raw] of world.entries()) {
    const resource = resourceOf(raw, at)
    if (resource !== null) store.put(resource)
  }
  if (store.all('ApiGateway').size === 0) {
    const metadata = { namespace: 'default', name: 'default', uid: 'gateway' }
    store.put(ingest('ApiGateway', { metadata, spec: {} }))
  }
  return createCompiler({ sha256, fingerprint, certificate }).compile(store.snapshot(new Map()))
    .tables
}

function holds({ objects, hash }: CompiledTable): void {
  const encoder = createEncoder()
  for (const object of objects.values()) {
    assert.equal(encoder.refusal(object), undefined)
    if (object.kind !== 'secret') assert.equal(sha256(digestText(object)), object.digest)
  }
  assert.equal(check(objects), null)
  assert.equal(hash, xorOf([...objects.values()].map(({ digest }) => digest)))
}

test('the tables of all golden walks are what the contract accepts', () => {
  assert.ok(WORLDS.length > 50)
  const kinds = new Set<string>()
  for (const world of WORLDS) {
    for (const table of tablesOf(world).values()) {
      holds(table)
      for (const { kind } of table.objects.values()) kinds.add(kind)
    }
  }
  assert.ok(kinds.size >= 11, [...kinds].join())
})

test('whatever is written instead, tables stay what the contract accepts', () => {
  const changed = fc.constantFrom(...WORLDS).chain((world) =>
    fc.nat({ max: world.length - 1 }).chain((at) => {
      const raw = world[at] ?? {}
      return mutated(fc.constant(raw['spec'] ?? {})).map((spec) => world.with(at, { ...raw, spec }))
    }),
  )
  fc.assert(
    fc.property(changed, (world) => {
      for (const table of tablesOf(world).values()) holds(table)
    }),
    { numRuns: 1_500 },
  )
})
