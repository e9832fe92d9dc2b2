/**
 * Keys with one hash, through every edit: who opens by it, as a policy sees the table. The policies
 * of namespace `ab` accept Consumers of `a` and `b`, those of the others only their own.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ApiKey } from '#wire/auth'
import { authPolicy, consumer, named, route, rule, toRoute } from '../../test/fake/cluster.ts'
import { DEFAULT_GATEWAY, DEPS, World, type Written } from '../../test/fake/world.ts'
import { createCompiler } from './compile.ts'
import type { Compiled } from './compiled.ts'

const HASH = '0'.repeat(64)
const NAMESPACES = ['a', 'b'] as const

function apiKey(key: string, name: string, more: object = {}): Written {
  const spec = { consumerRef: { name }, sha256: HASH, ...more }
  return { kind: 'ApiKey', metadata: named(key), spec }
}

function grant(namespace: string): Written {
  const from = [{ group: 'fairlead.dev', kind: 'AuthPolicy', namespace: 'ab' }]
  const to = [{ group: 'fairlead.dev', kind: 'Consumer' }]
  return { kind: 'ReferenceGrant', metadata: named(`${namespace}/g`), spec: { from, to } }
}

function guard(namespace: string, apiKeyEntry: object): readonly Written[] {
  return [
    route(`${namespace}/r`, [rule('one')], { hosts: [`${namespace}.example.com`] }),
    authPolicy(`${namespace}/p`, [toRoute('r')], { authenticate: { k: { apiKey: apiKeyEntry } } }),
  ]
}

function newWorld(): World {
  return new World().apply(
    DEFAULT_GATEWAY,
    ...NAMESPACES.flatMap((namespace) => [grant(namespace), ...guard(namespace, {})]),
    ...guard('ab', { consumers: { namespaces: [...NAMESPACES] } }),
  )
}

/** Keys that a policy counts, as the wire's ApiKey says: `ApiKey → Consumer`. */
function opens(compiled: Compiled, accepts: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const table of compiled.tables.values()) {
    for (const object of table.objects.values()) {
      if (object.kind !== 'apiKey') continue
      const { consumer: to, yieldsTo = [] }: ApiKey = object.value
      const counts = accepts.includes(to.slice(0, to.indexOf('/')))
      if (counts && !yieldsTo.some((other) => accepts.includes(other))) {
        found.push(`${object.key} → ${to}`)
      }
    }
  }
  return found
}

function everywhere(world: World): Readonly<Record<string, readonly string[]>> {
  const compiled = createCompiler(DEPS).compile(world.snapshot())
  return {
    a: opens(compiled, ['a']),
    b: opens(compiled, ['b']),
    both: opens(compiled, ['a', 'b']),
  }
}

test('a key of another namespace neither shuts one out nor takes its callers', () => {
  const world = newWorld().apply(
    consumer('a/acme'),
    apiKey('a/k', 'acme'),
    consumer('b/evil'),
    apiKey('b/k', 'evil'),
  )
  const ours = ['a/k → a/acme']
  assert.deepEqual(everywhere(world), { a: ours, b: ['b/k → b/evil'], both: ours })
  world.apply(consumer('a/acme', { groups: ['not valid'] }))
  assert.deepEqual(everywhere(world), { a: [], b: ['b/k → b/evil'], both: [] }, 'not even then')
  const { verdicts } = createCompiler(DEPS).compile(world.snapshot())
  const [told] = verdicts.get('ApiKey b/k')?.problems ?? []
  assert.deepEqual(
    [told?.severity, told?.path, told?.reason],
    ['warning', 'spec.sha256', 'Conflicted'],
  )
  assert.match(told?.sentence ?? '', /namespace "a"/)
  world.remove('ApiKey', 'a', 'k')
  const theirs = ['b/k → b/evil']
  assert.deepEqual(everywhere(world), { a: [], b: theirs, both: theirs }, 'it was given up')
})

test('of one namespace an older key that cannot be used does not shut a younger one out', () => {
  const world = newWorld().apply(
    consumer('a/broken', { groups: ['not valid'] }),
    consumer('a/good'),
    apiKey('a/old', 'broken'),
    apiKey('a/young', 'good'),
  )
  assert.deepEqual(everywhere(world)['a'], ['a/young → a/good'])
  const { verdicts } = createCompiler(DEPS).compile(world.snapshot())
  assert.equal(verdicts.get('ApiKey a/young')?.accepted.status, 'True')
  assert.equal(verdicts.get('ApiKey a/old')?.accepted.reason, 'TargetNotFound')
  world.apply(consumer('a/broken'))
  assert.deepEqual(everywhere(world)['a'], ['a/old → a/broken'])
})

test('a suspended Consumer and a key that has expired keep what is theirs', () => {
  const world = newWorld().apply(
    consumer('a/held', { state: 'Suspended' }),
    consumer('a/other'),
    apiKey('a/old', 'held', { expiresAt: '2020-01-01T00:00:00Z' }),
    apiKey('a/young', 'other'),
    consumer('b/evil'),
    apiKey('b/k', 'evil'),
  )
  const held = ['a/old → a/held']
  assert.deepEqual(everywhere(world), { a: held, b: ['b/k → b/evil'], both: held })
})

test('a key that moves to another Consumer, or into another namespace, is gone where it was', () => {
  const world = newWorld().apply(
    consumer('a/one'),
    consumer('a/two'),
    consumer('b/one'),
    apiKey('a/k', 'one'),
  )
  world.apply(apiKey('a/k', 'two'))
  assert.deepEqual(everywhere(world), { a: ['a/k → a/two'], b: [], both: ['a/k → a/two'] })
  world.remove('ApiKey', 'a', 'k').apply(apiKey('b/k', 'one'))
  assert.deepEqual(everywhere(world), { a: [], b: ['b/k → b/one'], both: ['b/k → b/one'] })
})

test("a key that names a Consumer elsewhere without a grant is in nobody's way", () => {
  const world = newWorld().apply(
    consumer('a/acme'),
    apiKey('b/k', 'acme', { consumerRef: { name: 'acme', namespace: 'a' } }),
    apiKey('a/k', 'acme'),
  )
  assert.deepEqual(everywhere(world), {
    a: ['a/k → a/acme'],
    b: [],
    both: ['a/k → a/acme'],
  })
})

// ---- through every edit ---------------------------------------------------------------------

type Edit = {
  readonly kind: 'Consumer' | 'ApiKey'
  readonly key: string
  readonly spec: object | null
}

const keysOfAll = fc.constantFrom('a/x', 'a/y', 'b/x', 'b/y')
const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('Consumer' as const),
      key: keysOfAll,
      spec: fc.constantFrom({}, {}, { state: 'Suspended' }, { groups: ['not valid'] }, null),
    }),
    fc.record({
      kind: fc.constant('ApiKey' as const),
      key: keysOfAll,
      spec: fc.oneof(
        fc.constant(null),
        fc.record({
          consumerRef: fc.record({ name: fc.constantFrom('x', 'y', 'nobody') }),
          sha256: fc.constantFrom(HASH, HASH, '1'.repeat(64)),
          expiresAt: fc.constantFrom('2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z'),
        }),
      ),
    }),
  ),
  { maxLength: 25 },
)

function apply(world: World, { kind, key, spec }: Edit): void {
  const { namespace, name } = named(key)
  if (spec === null) world.remove(kind, namespace, name)
  else world.apply({ kind, metadata: named(key), spec })
}

/** Every hash, as `opens`, of policies that accept these. */
function through(check: (compiled: Compiled, world: World, ours: World) => void): void {
  fc.assert(
    fc.property(edits, (list) => {
      const [world, ours] = [newWorld(), newWorld()]
      const compiler = createCompiler(DEPS)
      for (const edit of list) {
        apply(world, edit)
        if (edit.key.startsWith('a/')) apply(ours, edit)
        check(compiler.compile(world.snapshot()), world, ours)
      }
    }),
    { numRuns: 60 },
  )
}

test('in a namespace nothing depends on what others write', () => {
  through((compiled, _, ours) => {
    const alone = createCompiler(DEPS).compile(ours.snapshot())
    assert.deepEqual(opens(compiled, ['a']).toSorted(), opens(alone, ['a']).toSorted())
  })
})

test('no interleaving gives a hash to two Consumers, or to a namespace that came later', () => {
  through((compiled, world) => {
    for (const accepts of [['a'], ['b'], ['a', 'b']]) {
      const open = opens(compiled, accepts)
      const hashes = open.map((text) => hashOf(compiled, text))
      assert.equal(new Set(hashes).size, hashes.length, open.join(', '))
    }
    for (const text of opens(compiled, ['a', 'b'])) {
      const owner = ownerOf(world, hashOf(compiled, text))
      assert.equal(text.slice(0, 1), owner, text)
    }
  })
})

function hashOf(compiled: Compiled, text: string): string {
  const key = text.slice(0, text.indexOf(' '))
  for (const table of compiled.tables.values()) {
    const object = table.objects.get(`apiKey ${key}`)
    if (object?.kind === 'apiKey') return object.value.sha256
  }
  return assert.fail(key)
}

/** The namespace of the oldest ApiKey with this hash whose Consumer is there, read plainly. */
function ownerOf(world: World, hash: string): string | undefined {
  const { kinds } = world.snapshot()
  const claims = [...kinds.ApiKey].flatMap(([namespace, keys]) =>
    [...keys.values()].flatMap(({ createdMs, content }) => {
      const { sha256, consumerRef } = content['spec'] as Record<string, { name: string } | string>
      const to = typeof consumerRef === 'object' ? consumerRef.name : ''
      const there = kinds.Consumer.get(namespace)?.has(to) === true
      return sha256 === hash && there ? [{ namespace, createdMs }] : []
    }),
  )
  return claims.toSorted((x, y) => x.createdMs - y.createdMs)[0]?.namespace
}
