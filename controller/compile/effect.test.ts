/**
 * What policies make of a rule: the one decision on what may be open.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AtLevels, inEffect, type PolicyShape, type Stated } from './attach.ts'
import { effectOf } from './effect.ts'

const NOTHING: Stated = { units: [], entries: [], disabled: [] }
const NONE: AtLevels = { gateway: [], namespace: [], route: [], rule: [] }
const EMPTY = inEffect(NONE)

function shape(name: string, defaults: Partial<Stated>, usable: 'yes' | 'no' = 'yes'): PolicyShape {
  const key = `n/${name}`
  return {
    createdMs: 0,
    namespace: 'n',
    name,
    ref: `AuthPolicy ${key}`,
    key,
    usable,
    defaults: { ...NOTHING, ...defaults },
    overrides: NOTHING,
  }
}

function at(...route: PolicyShape[]) {
  return inEffect({ ...NONE, route })
}

test('a rule is open only where it is public or its gateway says optional', () => {
  const nothing = { auth: EMPTY, limits: EMPTY, astray: [] }
  assert.deepEqual(effectOf(nothing, 'allowed').auth, { kind: 'open' })
  const { auth } = effectOf(nothing, 'refused')
  assert.ok(auth.kind === 'reject' && auth.status === 503 && auth.cause === 'policy-missing')
})

test('a policy that attaches holds on a public rule as well', () => {
  const auth = at(shape('a', { units: ['authenticate'], entries: ['p'] }))
  const effect = effectOf({ auth, limits: EMPTY, astray: [] }, 'allowed')
  assert.deepEqual(effect.auth, {
    kind: 'policy',
    authenticate: 'n/a/defaults',
    authorize: ['n/a/p'],
    forward: null,
    deny: null,
  })
  assert.deepEqual(effect.uses, [
    { ref: 'AuthPolicy n/a', id: 'authenticate n/a/defaults' },
    { ref: 'AuthPolicy n/a', id: 'authorize n/a/p' },
  ])
})

test('conditions without anybody who authenticates do not open a rule', () => {
  const auth = at(shape('a', { entries: ['p'], units: ['forward'] }))
  const effect = effectOf({ auth, limits: EMPTY, astray: [] }, 'refused')
  assert.ok(effect.auth.kind === 'reject' && effect.auth.cause === 'policy-missing')
})

test('a policy that cannot be enforced answers 503, whichever kind it is, public or not', () => {
  const broken = at(shape('b', {}, 'no'))
  const fine = at(shape('a', { units: ['authenticate'], entries: ['p'] }))
  for (const holding of [
    { auth: broken, limits: EMPTY, astray: [] },
    { auth: fine, limits: broken, astray: [] },
    { auth: fine, limits: fine, astray: [shape('lost', {})] },
  ]) {
    const { auth, limits, uses, refusedBy } = effectOf(holding, 'allowed')
    assert.ok(auth.kind === 'reject' && auth.status === 503 && auth.cause === 'policy-invalid')
    assert.deepEqual({ limits, uses }, { limits: [], uses: [] })
    assert.equal(refusedBy.length, 1)
  }
})

test('limits are taken in the order of levels and names', () => {
  const limits = inEffect({
    ...NONE,
    rule: [shape('rule', { entries: ['a'] })],
    gateway: [shape('gate', { entries: ['z', 'b'] })],
  })
  const effect = effectOf({ auth: EMPTY, limits, astray: [] }, 'allowed')
  assert.deepEqual(effect.limits, ['n/gate/b', 'n/gate/z', 'n/rule/a'])
})
