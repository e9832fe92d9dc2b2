/**
 * Proves api-key.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyOf } from '#wire/key-format'
import { KeyJudge } from './api-key.ts'
import {
  addConsumer,
  addKey,
  apiKeyEntry,
  consumer,
  fakeEnvironment,
  judging,
  peppered,
} from './fake/policy.ts'
import type { Judgement } from './judgement.ts'
import { KeyEntry } from './key-entry.ts'

const KEY = keyOf('k'.repeat(43))
const PEPPER = 'salt and pepper'

function said(judgement: Judgement): string {
  return judgement.kind === 'verified' ? judgement.caller.method : judgement.because
}

function world() {
  const env = fakeEnvironment()
  const acme = addConsumer(env, consumer('acme', { labels: { partner: 'true' } }))
  const judge = (...entries: readonly Partial<ReturnType<typeof apiKeyEntry>>[]): KeyJudge =>
    new KeyJudge(
      entries.map((parts) => {
        const pepper = parts.formats?.includes('imported') === true ? Buffer.from(PEPPER) : null
        return new KeyEntry(apiKeyEntry(parts), pepper)
      }),
      judging(env),
    )
  return { env, acme, judge }
}

test('a key opens only for Consumers that the entry names', () => {
  const { env, acme, judge } = world()
  addKey(env, KEY, acme)
  assert.equal(said(judge({}).judge(KEY)), 'partners')
  assert.match(said(judge({ namespaces: ['shop'] }).judge(KEY)), /not known/)
  const selector = { matchLabels: [{ name: 'partner', value: 'false' }], matchExpressions: [] }
  assert.match(said(judge({ selector }).judge(KEY)), /not known/)
})

test('a key that nobody has, or whose Consumer is gone, is not known', () => {
  const { env, acme, judge } = world()
  assert.match(said(judge({}).judge(KEY)), /not known/)
  addKey(env, KEY, acme)
  env.directory.setConsumer('partners/acme', null)
  assert.match(said(judge({}).judge(KEY)), /not known/)
})

test('a key that is revoked or added counts so at once', () => {
  const { env, acme, judge } = world()
  const judged = judge({})
  assert.match(said(judged.judge(KEY)), /not known/)
  addKey(env, KEY, acme)
  assert.equal(said(judged.judge(KEY)), 'partners')
  addConsumer(env, consumer('acme', { state: 'Suspended' }))
  const found = judged.judge(KEY)
  assert.ok(found.kind === 'verified')
  assert.equal(found.caller.consumer?.state, 'Suspended')
})

test('a key ends at its moment', () => {
  const { env, acme, judge } = world()
  addKey(env, KEY, acme, { expiresAtMs: env.clock.nowMs + 1 })
  const judged = judge({})
  assert.equal(said(judged.judge(KEY)), 'partners')
  env.clock.nowMs += 1
  assert.match(said(judged.judge(KEY)), /expired/)
})

test('a mistyped key is refused by its checksum, before anything is looked up', () => {
  const { env, acme, judge } = world()
  const mistyped = `${KEY.slice(0, 10)}x${KEY.slice(11)}`
  addKey(env, mistyped, acme)
  assert.match(said(judge({}).judge(mistyped)), /checksum/)
})

test('an imported key is found by its hash with the pepper, and only as what it is', () => {
  const { env, acme, judge } = world()
  const imported = { formats: ['imported'] as const }
  addKey(env, 'x', acme, { sha256: peppered('sk_1', PEPPER), format: 'imported' })
  assert.equal(said(judge(imported).judge('sk_1')), 'partners')
  assert.match(said(judge({}).judge('sk_1')), /not known/)
  addKey(env, 'y', acme, { sha256: peppered('sk_2', PEPPER), format: 'fairlead' })
  assert.match(said(judge(imported).judge('sk_2')), /not known/)
  addKey(env, KEY, acme, { format: 'imported' })
  assert.match(said(judge({}).judge(KEY)), /not known/)
  assert.match(said(judge(imported).judge('s'.repeat(513))), /not known/)
})

test('an entry for imported keys takes one that looks like ours; one for both does not', () => {
  const { env, acme, judge } = world()
  const odd = 'fl_from-elsewhere'
  addKey(env, 'x', acme, { sha256: peppered(odd, PEPPER), format: 'imported' })
  assert.equal(said(judge({ formats: ['imported'] }).judge(odd)), 'partners')
  assert.match(said(judge({ formats: ['fairlead', 'imported'] }).judge(odd)), /checksum/)
})

test('the first entry by name that accepts the Consumer judges', () => {
  const { env, acme, judge } = world()
  addKey(env, KEY, acme)
  const entries = [{ name: 'a', namespaces: ['shop'] }, { name: 'b' }, { name: 'c' }]
  assert.equal(said(judge(...entries).judge(KEY)), 'b')
})

test('of two namespaces with one key each policy takes its own, and one that accepts both the older', () => {
  const { env, acme, judge } = world()
  const other = addConsumer(env, { ...consumer('other'), namespace: 'shop' })
  addKey(env, KEY, acme, { expiresAtMs: env.clock.nowMs })
  addKey(env, KEY, other, { yieldsTo: ['partners'] })
  const shop = { name: 'own', namespaces: ['shop'] }
  assert.equal(said(judge(shop).judge(KEY)), 'own')
  assert.match(said(judge({}).judge(KEY)), /expired/)
  assert.match(said(judge(shop, {}).judge(KEY)), /expired/, 'whatever has become of the older one')
  assert.match(said(judge({ namespaces: ['shop', 'partners'] }).judge(KEY)), /expired/)
})
