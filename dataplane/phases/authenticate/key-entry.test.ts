/**
 * Proves key-entry.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LabelSelector } from '#wire/auth'
import { apiKeyEntry, consumer } from './fake/policy.ts'
import { KeyEntry } from './key-entry.ts'

const name = fc.constantFrom('tier', 'partner', 'zone')
const value = fc.constantFrom('a', 'b', 'true')
const labels = fc.dictionary(name, value)
const selectors = fc.record({
  matchLabels: fc.array(fc.record({ name, value }), { maxLength: 2 }),
  matchExpressions: fc.array(
    fc.record({
      name,
      operator: fc.constantFrom(...(['In', 'NotIn', 'Exists', 'DoesNotExist'] as const)),
      values: fc.array(value, { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
})

type Term = LabelSelector['matchExpressions'][number]

/** The plain reading: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels */
const PLAIN: { readonly [O in Term['operator']]: (has: boolean, listed: boolean) => boolean } = {
  In: (has, listed) => has && listed,
  NotIn: (_has, listed) => !listed,
  Exists: (has) => has,
  DoesNotExist: (has) => !has,
}

function plainFits(selector: LabelSelector, own: Record<string, string>): boolean {
  const entries = new Map(Object.entries(own))
  return (
    selector.matchLabels.every((one) => entries.get(one.name) === one.value) &&
    selector.matchExpressions.every(({ name: key, operator, values }) =>
      PLAIN[operator](
        entries.has(key),
        values.some((one) => entries.get(key) === one),
      ),
    )
  )
}

test('a selector fits as the plain reading of Kubernetes says', () => {
  fc.assert(
    fc.property(selectors, labels, (selector, own) => {
      const entry = new KeyEntry(apiKeyEntry({ selector }), null)
      const found = entry.callerOf(consumer('acme', { labels: own }))
      assert.equal(found !== null, plainFits(selector, own))
    }),
  )
})

test('a Consumer of another namespace is not accepted, and no namespace accepts nobody', () => {
  const acme = consumer('acme', { namespace: 'shop' })
  assert.equal(new KeyEntry(apiKeyEntry(), null).callerOf(acme), null)
  assert.equal(new KeyEntry(apiKeyEntry({ namespaces: [] }), null).callerOf(acme), null)
  assert.notEqual(new KeyEntry(apiKeyEntry({ namespaces: ['shop'] }), null).callerOf(acme), null)
})

test('a label that is named like a member of every object is only a label', () => {
  const selector: LabelSelector = {
    matchLabels: [],
    matchExpressions: [{ name: 'constructor', operator: 'Exists', values: [] }],
  }
  assert.equal(new KeyEntry(apiKeyEntry({ selector }), null).callerOf(consumer('acme')), null)
})

test('the caller of a key is its Consumer, with its groups and no claims', () => {
  const acme = consumer('acme', { groups: ['gold'], state: 'Suspended' })
  const caller = new KeyEntry(apiKeyEntry(), null).callerOf(acme)
  assert.equal(caller?.consumer, acme)
  assert.equal(caller?.method, 'partners')
  assert.deepEqual(caller?.groups, ['gold'])
  assert.deepEqual(Object.keys(caller?.claims ?? { x: 1 }), [])
  assert.equal(caller?.anonymous, false)
})
