/**
 * Tables built by changes, against the same tables built from nothing; and what stands where
 * something cannot be built.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { type ObjectKind, objectId, type Rule, type TableObject } from '#wire/table'
import { FakeRuntime } from '../../test/fake/runtime.ts'
import {
  buildEnvironment,
  GATEWAY,
  hostObject,
  pathMatch,
  ruleAt,
  tableChange,
  tableObject,
  tableRule,
} from '../../test/fake/table.ts'
import { type Built, type BuildEnvironment, swapTable, TableBuilder } from './build.ts'
import type { PreparedRule } from './runtime.ts'

// ---- random tables --------------------------------------------------------------------------

const NAMES = ['a', 'b', 'c']
const maybe = fc.constantFrom(...NAMES, 'missing')

const rules: fc.Arbitrary<Rule> = fc
  .record({
    segment: fc.constantFrom('a', 'b'),
    auth: fc.option(
      fc.record({
        authenticate: fc.option(maybe),
        authorize: fc.array(maybe, { maxLength: 2 }),
        forward: fc.option(maybe),
      }),
    ),
    limits: fc.array(maybe, { maxLength: 2 }),
    backend: fc.option(maybe),
    when: fc.constantFrom(null, 'true', 'request.path == "/a"', 'nonsense ('),
  })
  .map(({ segment, auth, limits, backend, when }) =>
    tableRule({
      matches: [{ ...pathMatch(`/${segment}/**`), when }],
      auth: auth === null ? { kind: 'open' } : { kind: 'policy', deny: null, ...auth },
      limits,
      ...(backend === null
        ? {}
        : {
            action: {
              kind: 'proxy' as const,
              backends: [{ when: null, weight: 1, to: { kind: 'backend' as const, backend } }],
            },
          }),
    }),
  )

const named = fc.constantFrom(...NAMES)
const keyed = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<readonly [string, T]> =>
  fc.tuple(named, values)
const expressions = fc.constantFrom('true', 'auth.consumer == "x"', 'broken (')

const objects: fc.Arbitrary<TableObject> = fc.oneof(
  keyed(rules).map(([key, value]) => tableObject('rule', key, value)),
  fc
    .tuple(fc.constantFrom('*', 'x.com', '*.com'), fc.array(maybe, { maxLength: 3 }))
    .map(([key, list]) => hostObject(key, list)),
  keyed(fc.constantFrom<'http' | 'h2c'>('http', 'h2c')).map(([key, protocol]) =>
    tableObject('backend', key, { protocol, clusterAddress: null }),
  ),
  keyed(expressions).map(([key, require]) =>
    tableObject('authorize', key, {
      scopes: [],
      require,
      when: null,
      deny: { status: 403, cause: 'forbidden', detail: 'No.' },
    }),
  ),
  keyed(fc.constantFrom('x-user', 'x-tenant')).map(([key, name]) =>
    tableObject('forward', key, {
      headers: [{ name, value: ['v'], onFailure: 'remove' }],
      credential: 'strip',
    }),
  ),
  named.map((key) =>
    tableObject('authenticate', key, { entries: [{ kind: 'anonymous', name: 'guest' }] }),
  ),
  keyed(expressions).map(([key, when]) =>
    tableObject('limit', key, {
      policy: 'shop/limits',
      name: key,
      per: 'policy',
      stage: 'afterAuth',
      mode: 'enforce',
      key: null,
      onMissingKey: 'shared',
      when,
      measure: { kind: 'concurrency', max: 2 },
    }),
  ),
  keyed(fc.constantFrom('h1', 'h2')).map(([key, sha256]) =>
    tableObject('apiKey', key, { consumer: 'a', sha256, format: 'fairlead', expiresAtMs: null }),
  ),
  fc.constantFrom('10.0.0.0/8', 'nonsense').map((range) =>
    tableObject('gateway', 'infra/default', {
      trustedProxies: [range],
      egressAllow: [],
      dataPlanes: 1,
    }),
  ),
)

interface Step {
  readonly kind: 'put' | 'drop' | 'snapshot'
  readonly objects: readonly TableObject[]
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('put', 'put', 'put', 'drop', 'snapshot'),
    objects: fc.array(objects, { maxLength: 5 }),
  }),
  { maxLength: 8 },
)

/** All that can be seen of a table, in words that can be compared. */
function seen({ table, backends, rejections }: Built, { directory }: BuildEnvironment): unknown {
  const places = ['/a', '/a/x', '/b', '/c'].flatMap((at) => [
    [at, 'x.com'] as const,
    [at, 'y.com'] as const,
    [at, 'z'] as const,
  ])
  return {
    gateway: table.gateway,
    trusts: table.trustedProxies?.trust('10.1.1.1') ?? null,
    drops: ['X-User', 'x_tenant'].map((name) => table.clientHeaders.of(name).treatment),
    backends: [...backends].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    rejections: rejections.map(({ kind, key, reason }) => `${kind} ${key}: ${reason}`).toSorted(),
    keys: ['h1', 'h2'].map((hash) => directory.apiKeys(hash)),
    rules: places.map(([at, name]) => {
      const found = ruleAt({ table }, at, name)
      return typeof found === 'string' ? found : inWords(found)
    }),
  }
}

function inWords({ key, auth, limitsAfterAuth, action }: PreparedRule): string {
  const limits = limitsAfterAuth?.map(({ bucket, when }) => `${bucket} ${when?.source}`).join()
  const policy =
    auth?.kind === 'policy' ? `${auth.authorizers?.length} ${JSON.stringify(auth.forward)}` : ''
  return [key, auth?.kind, policy, limits, JSON.stringify(action)].join(' | ')
}

test('after any changes the table is what building it from nothing gives', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const env = buildEnvironment()
      const builder = new TableBuilder(env)
      let now = new Map<string, TableObject>()
      for (const { kind, objects: these } of list) {
        const by = new Map(these.map((one) => [objectId(one.kind, one.key), one]))
        const puts = [...by.values()]
        const drops = puts.map(({ kind: of, key }) => ({ kind: of, key }))
        const made =
          kind === 'drop'
            ? tableChange('delta', [], drops)
            : tableChange(kind === 'put' ? 'delta' : 'snapshot', puts)
        now = after(now, kind, by)
        const result = builder.build(made)
        result.commit()
        const freshEnv = buildEnvironment()
        const fresh = new TableBuilder(freshEnv).build(tableChange('snapshot', [...now.values()]))
        fresh.commit()
        assert.deepEqual(seen(result, env), seen(fresh, freshEnv))
      }
    }),
    { numRuns: 400 },
  )
})

function after(
  now: ReadonlyMap<string, TableObject>,
  kind: Step['kind'],
  by: ReadonlyMap<string, TableObject>,
): Map<string, TableObject> {
  if (kind === 'snapshot') return new Map(by)
  const next = new Map(now)
  for (const [id, object] of by) {
    if (kind === 'put') next.set(id, object)
    else next.delete(id)
  }
  return next
}

// ---- one by one -----------------------------------------------------------------------------

test('only what a change touches is built anew', () => {
  const builder = new TableBuilder(buildEnvironment())
  const at = (key: string): TableObject =>
    tableObject('rule', key, tableRule({ matches: [pathMatch(`/${key}`)] }))
  const first = builder.build(
    tableChange('snapshot', [
      GATEWAY,
      at('a'),
      at('b'),
      hostObject('x.com', ['a']),
      hostObject('y.com', ['b']),
    ]),
  )
  first.commit()
  const touched = tableObject(
    'rule',
    'a',
    tableRule({ matches: [pathMatch('/a')], totalTimeoutMs: 1 }),
  )
  const second = builder.build(tableChange('delta', [touched]))
  second.commit()
  assert.equal(ruleAt(first, '/b', 'y.com'), ruleAt(second, '/b', 'y.com'))
  assert.notEqual(ruleAt(first, '/a', 'x.com'), ruleAt(second, '/a', 'x.com'))
  const same = builder.build(
    tableChange('snapshot', [
      GATEWAY,
      touched,
      at('b'),
      hostObject('x.com', ['a']),
      hostObject('y.com', ['b']),
    ]),
  )
  assert.equal(same.table.matcher, second.table.matcher)
  assert.equal(same.backends, second.backends)
})

test('a build that is not committed changes nothing', () => {
  const env = buildEnvironment()
  const builder = new TableBuilder(env)
  builder.build(tableChange('snapshot', [GATEWAY])).commit()
  const key = { consumer: 'a', sha256: 'h1', format: 'fairlead', expiresAtMs: null } as const
  builder.build(
    tableChange('delta', [
      tableObject('rule', 'r', tableRule()),
      hostObject('*', ['r']),
      tableObject('apiKey', 'k', key),
    ]),
  )
  assert.deepEqual(env.directory.apiKeys('h1'), [])
  const next = builder.build(tableChange('delta', []))
  assert.equal(ruleAt(next, '/a'), 'no-route')
})

test('only what was built last can come into force, once', () => {
  const builder = new TableBuilder(buildEnvironment())
  const first = builder.build(tableChange('snapshot', [GATEWAY]))
  const second = builder.build(tableChange('snapshot', [GATEWAY, hostObject('*', [])]))
  assert.throws(() => first.commit())
  second.commit()
  assert.throws(() => second.commit())
})

test('a table is in force from one moment to the next', () => {
  const runtime = new FakeRuntime()
  const builder = new TableBuilder(buildEnvironment())
  const before = runtime.table
  const backend = tableObject('backend', 'shop/books:80', {
    protocol: 'http',
    clusterAddress: null,
  })
  const rejections = swapTable(
    runtime,
    builder,
    tableChange('snapshot', [
      GATEWAY,
      backend,
      tableObject('rule', 'r', tableRule()),
      hostObject('*', ['r']),
    ]),
  )
  assert.deepEqual(rejections, [])
  assert.notEqual(runtime.table, before)
  assert.equal(runtime.table.hash, 'hash')
  assert.equal(runtime.table.trustedProxies?.trust('10.1.2.3'), 'trusted')
  assert.deepEqual([...runtime.upstream.known.keys()], ['shop/books:80'])
})

test('a gateway may give way to another one', () => {
  const builder = new TableBuilder(buildEnvironment())
  builder.build(tableChange('snapshot', [GATEWAY])).commit()
  const other = tableObject('gateway', 'infra/other', {
    trustedProxies: [],
    egressAllow: [],
    dataPlanes: 7,
  })
  const kind: ObjectKind = 'gateway'
  const result = builder.build(tableChange('delta', [other], [{ kind, key: 'infra/default' }]))
  assert.equal(result.table.gateway.dataPlanes, 7)
  assert.equal(result.table.trustedProxies, null)
})
