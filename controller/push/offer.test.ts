/**
 * Promises of offer.ts and sources.ts, with random histories of tables.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SAMPLES, tableObject } from '../../test/wire/samples.ts'
import { compiled } from '../../test/wire/world.ts'
import { TABLE_BYTES_MAX, TABLE_OBJECTS_MAX } from '#wire/limits'
import { objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import type { CompiledTable } from '../compile/compiled.ts'
import { createEncoder } from './encode.ts'
import { createOffers, inWireOrder } from './offer.ts'
import type { Changes, Offers } from './offer.ts'

const [GATEWAY] = SAMPLES

function consumer(name: string, displayName: string, generation = 1): TableObject {
  const source = { kind: 'Consumer', name: `a/${name}`, uid: `u-${name}`, generation }
  const value = {
    namespace: 'a',
    name,
    displayName,
    labels: {},
    state: 'Active',
    groups: [],
    externalIds: {},
    identities: [],
  } as const
  return tableObject('consumer', `a/${name}`, value, [source])
}

function offered(offers: Offers, objects: readonly TableObject[], basis = '1'): CompiledTable {
  const all = GATEWAY === undefined ? objects : [GATEWAY, ...objects]
  const table = compiled(all, offers.newest?.table ?? null)
  offers.accept({ table, basis: { A: basis }, epoch: '0', trace: null })
  return table
}

function applied(table: CompiledTable, changes: Changes): Map<string, string> {
  const result = digests(table)
  for (const { kind, key } of changes.drops) {
    assert.ok(result.delete(objectId(kind, key)), `${key} is dropped but was not there`)
  }
  for (const object of changes.puts) result.set(objectId(object.kind, object.key), object.digest)
  return result
}

function digests(table: CompiledTable): Map<string, string> {
  return new Map([...table.objects].map(([id, { digest }]) => [id, digest]))
}

const contents = fc.dictionary(fc.constantFrom('p', 'q', 'r', 's'), fc.constantFrom('1', '2', '3'))

test('a delta from any version that is remembered leads to the newest table', () => {
  fc.assert(
    fc.property(fc.array(contents, { minLength: 1, maxLength: 12 }), (history) => {
      const offers = createOffers(createEncoder())
      const tables = new Map<number, CompiledTable>()
      for (const content of history) {
        const table = offered(
          offers,
          Object.entries(content).map(([name, text]) => consumer(name, text)),
        )
        tables.set(offers.newest?.version ?? 0, table)
      }
      const newest = tables.get(offers.newest?.version ?? 0)
      for (const [version, table] of tables) {
        const changes = offers.changesSince(version)
        assert.ok(newest !== undefined && changes !== null)
        assert.deepEqual(sorted(applied(table, changes)), sorted(digests(newest)))
        assert.equal(offers.versionOf(newest.hash), offers.newest?.version)
      }
    }),
  )
})

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

test('a table with the same hash is no news, but its basis is', () => {
  const offers = createOffers(createEncoder())
  offered(offers, [consumer('p', '1')], '5')
  const version = offers.newest?.version
  offered(offers, [consumer('p', '1')], '6')
  assert.equal(offers.newest?.version, version)
  assert.deepEqual(offers.newest?.basis, { A: '6' })
})

test('a history that is too long ends in a snapshot, never in a wrong delta', () => {
  const offers = createOffers(createEncoder())
  for (let i = 0; i <= 1_001; i += 1) offered(offers, [consumer('p', String(i))])
  assert.equal(offers.changesSince(1), null)
  assert.equal(offers.changesSince(3)?.puts.length, 1)
  assert.equal(offers.changesSince(0), null)
})

test('backends that are new or gone are named', () => {
  const offers = createOffers(createEncoder())
  const backend = tableObject('backend', 'a/b:80', { protocol: 'http', clusterAddress: null })
  const accept = (objects: readonly TableObject[]) =>
    offers.accept({ table: compiled(objects), basis: {}, epoch: '0', trace: null })
  assert.ok(GATEWAY !== undefined)
  const first = accept([GATEWAY, backend])
  assert.deepEqual(first, { kind: 'newTable', added: ['a/b:80'], removed: [] })
  assert.deepEqual([...offers.backends], ['a/b:80'])
  assert.deepEqual(accept([GATEWAY]), { kind: 'newTable', added: [], removed: ['a/b:80'] })
  assert.deepEqual([...offers.backends], [])
})

test('a table that no data plane could run is not offered, and the one before it stays', () => {
  const offers = createOffers(createEncoder())
  offered(offers, [consumer('p', '1')])
  const before = offers.newest
  const apiKey = SAMPLES.find(({ kind }) => kind === 'apiKey')
  assert.ok(apiKey !== undefined && GATEWAY !== undefined)
  const accept = (objects: readonly TableObject[]) =>
    offers.accept({ table: compiled(objects), basis: {}, epoch: '0', trace: null })
  const dangling = accept([GATEWAY, consumer('p', '1'), apiKey])
  assert.ok(dangling.kind === 'unsendable')
  assert.match(dangling.because, /names consumer "partners\/acme"/)
  assert.equal(accept([consumer('p', '1')]).kind, 'unsendable') // without its gateway
  assert.equal(offers.newest, before)
})

/** One object under many keys, which is all that a sum sees of it. */
function repeated(
  object: TableObject,
  times: number,
  beside: readonly TableObject[],
): CompiledTable {
  const { objects, hash } = compiled([...beside, object])
  const one = objects.get(objectId(object.kind, object.key))
  assert.ok(one !== undefined)
  const all = new Map(objects)
  for (let i = 1; i < times; i += 1) all.set(`${object.kind} ${i}`, one)
  return { objects: all, hash: `${times}${hash}` }
}

test('a table beyond the limits of the wire is not offered, whatever the change reaches', () => {
  const offers = createOffers(createEncoder())
  assert.ok(GATEWAY !== undefined)
  const accept = (table: CompiledTable) =>
    offers.accept({ table, basis: {}, epoch: '0', trace: null })
  const privateKey = tableObject('secret', 'a/tls:tls.key', { base64: 'aGk=' })
  const beside = [GATEWAY, privateKey]
  assert.equal(accept(compiled(beside)).kind, 'newTable')
  const many = accept(repeated(consumer('p', '1'), TABLE_OBJECTS_MAX - 1, beside))
  assert.ok(many.kind === 'unsendable')
  assert.match(many.because, /more than 500000 objects/)
  const names = Array.from({ length: 1_000 }, () => 'x'.repeat(8_000))
  const value = { chain: 'x', privateKey: 'a/tls:tls.key', names }
  const large = tableObject('certificate', 'a/tls', value)
  const copies = Math.floor(TABLE_BYTES_MAX / JSON.stringify(large).length)
  assert.equal(accept(repeated(large, copies - 1, beside)).kind, 'newTable')
  const long = accept(repeated(large, copies + 1, beside))
  assert.ok(long.kind === 'unsendable')
  assert.match(long.because, /longer than 134217728 bytes/)
  assert.equal(accept(repeated(large, copies - 2, beside)).kind, 'newTable')
})

test('a generation counts from the first table that carries it', () => {
  const offers = createOffers(createEncoder())
  const since = (generation: number) => offers.sources.since('u-p', generation)
  offered(offers, [consumer('p', '1', 1)])
  offered(offers, [consumer('p', '1', 1), consumer('q', '1', 1)])
  assert.equal(since(1), 1)
  assert.equal(since(2), null)
  offered(offers, [consumer('p', '2', 2), consumer('q', '1', 1)])
  assert.equal(since(1), null)
  assert.equal(since(2), 3)
  offered(offers, [consumer('p', '3', 2)]) // another resource changed what it is made from
  assert.equal(since(2), 3)
  offered(offers, [consumer('p', '1', 1)]) // a last valid spec may be older
  assert.equal(since(1), 5)
  offered(offers, [])
  assert.equal(since(1), null)
})

test('a snapshot sends most things before what refers to them', () => {
  const kinds = [...inWireOrder(compiled(SAMPLES.toReversed()))].map(({ kind }) => kind)
  assert.equal(kinds[0], 'gateway')
  assert.equal(kinds.at(-1), 'host')
  assert.equal(kinds.length, SAMPLES.length)
  assert.ok(kinds.indexOf('consumer') < kinds.indexOf('apiKey'))
})
