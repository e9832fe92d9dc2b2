/**
 * The policies of every rule in generated worlds, against the plain twin; and, step by step, what a
 * route keeps while its last valid spec runs.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Rule } from '#wire/table'
import { edit, edits, newWorld } from '../../test/fake/any-world.ts'
import { fields, type Place, plainly, specInForce } from '../../test/fake/plain-policies.ts'
import { DEPS, type World } from '../../test/fake/world.ts'
import { createCompiler } from './compile.ts'
import type { Compiled } from './compiled.ts'
import type { Snapshot } from './snapshot.ts'

const RUNS = { numRuns: Number(process.env['FAIRLEAD_RUNS'] ?? 60) }

interface Found {
  readonly place: Place
  readonly rule: Rule
  readonly table: NonNullable<ReturnType<Compiled['tables']['get']>>
  readonly runs: 'current' | 'lastValid' | 'nothing'
}

function rulesIn(compiled: Compiled): Found[] {
  return [...compiled.tables].flatMap(([gateway, table]) =>
    [...table.objects.values()].flatMap((object) => {
      if (object.kind !== 'rule') return []
      const [namespace = '', route = ''] = object.value.route.split('/')
      const verdict = compiled.verdicts.get(`ApiRoute ${namespace}/${route}`)
      const place = { gateway, namespace, route, rule: object.value.name }
      return [{ place, rule: object.value, table, runs: verdict?.runs ?? 'nothing' }]
    }),
  )
}

/** What the objects say of the rule: whether it may be open, and which rules there are. */
function factsOf({ place }: Found, world: World, snapshot: Snapshot) {
  const route = snapshot.kinds.ApiRoute.get(place.namespace)?.get(place.route)
  assert.ok(route !== undefined)
  const { spec } = specInForce(world, route)
  const rules = [...list(spec['rules']), ...list(fields(route.content['spec'])['rules'])]
  const own = list(spec['rules']).find(({ name }) => name === place.rule)
  const [inside = '', name = ''] = place.gateway.split('/')
  const gateway = snapshot.kinds.ApiGateway.get(inside)?.get(name)
  const { auth } = fields(fields(gateway?.content['spec'])['routeDefaults'])
  const open = own?.['public'] ?? spec['public'] ?? false
  return {
    absence: open === true || auth === 'optional',
    ruleNames: rules.map((rule) => rule['name']),
  }
}

function list(value: unknown): { readonly [field: string]: unknown }[] {
  return Array.isArray(value) ? value.map(fields) : []
}

function through(check: (found: Found, world: World, snapshot: Snapshot) => void): void {
  fc.assert(
    fc.property(edits(true, 40), (changes) => {
      const world = newWorld()
      const compiler = createCompiler(DEPS)
      for (const change of changes) {
        edit(world, change)
        const snapshot = world.snapshot()
        for (const found of rulesIn(world.compile((it) => compiler.compile(it))))
          check(found, world, snapshot)
      }
    }),
    RUNS,
  )
}

test('what holds at every rule is what the objects say, read plainly', () => {
  through((found, world, snapshot) => {
    if (found.runs === 'lastValid') return
    const expected = plainly(found.place, world, factsOf(found, world, snapshot))
    const { auth, limits } = found.rule
    const said = auth.kind === 'reject' ? { kind: auth.kind, cause: auth.cause } : auth
    assert.deepEqual({ auth: said, limits }, expected)
  })
})

test('no interleaving serves a non-public rule unauthenticated', () => {
  through((found, world, snapshot) => {
    const { auth } = found.rule
    const facts = factsOf(found, world, snapshot)
    if (auth.kind === 'open') assert.ok(facts.absence)
    if (auth.kind !== 'policy') return
    if (auth.authenticate === null) {
      assert.ok(facts.absence)
      return
    }
    const unit = found.table.objects.get(`authenticate ${auth.authenticate}`)
    assert.ok(unit?.kind === 'authenticate' && unit.value.entries.length > 0)
    if (!unit.value.entries.some(({ kind }) => kind === 'anonymous')) return
    // Whoever lets anonymous callers in does so now, not in the memory of a route.
    const now = plainly(found.place, world, facts)
    assert.equal(fields(now.auth)['authenticate'], auth.authenticate)
  })
})
