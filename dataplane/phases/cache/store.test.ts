/**
 * Kept answers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AnswerStore, type StoredAnswer } from './store.ts'

function answer(audience: string, bytes: number, varies: readonly string[] = []): StoredAnswer {
  const lifetime = { freshS: 60, ageS: 0, stale: 'allowed' } as const
  const body = Buffer.alloc(bytes)
  return { audience, varies, status: 200, headers: [], body, lifetime, storedMs: 0 }
}

type Step =
  | { readonly do: 'put'; readonly target: string; readonly who: string; readonly lang: string }
  | { readonly do: 'drop'; readonly target: string }

const targets = fc.constantFrom('/a', '/b', '/c')
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('put'),
    target: targets,
    who: fc.constantFrom('x', 'y'),
    lang: fc.constantFrom('en', 'de'),
  }),
  fc.record({ do: fc.constant('drop'), target: targets }),
)

function play(step: Step, store: AnswerStore, twin: Map<string, StoredAnswer>): void {
  if (step.do === 'drop') {
    store.drop(step.target)
    for (const key of twin.keys()) if (key.startsWith(`${step.target} `)) twin.delete(key)
    return
  }
  const made = answer(step.who, 10, ['accept-language', step.lang])
  store.put(step.target, made, ['Accept-Language', step.lang])
  twin.set(`${step.target} ${step.who} ${step.lang}`, made)
}

const KEYS = ['/a', '/b', '/c'].flatMap((target) =>
  ['x', 'y'].flatMap((who) => ['en', 'de'].map((lang) => `${target} ${who} ${lang}`)),
)

test('the store keeps what its plain twin keeps, and never too much', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40 }), (history) => {
      const store = new AnswerStore(1024 * 1024)
      const twin = new Map<string, StoredAnswer>()
      for (const step of history) play(step, store, twin)
      for (const key of KEYS) {
        const [target = '', who = '', lang = ''] = key.split(' ')
        assert.equal(store.find(target, who, ['accept-language', lang]), twin.get(key) ?? null)
      }
      for (const target of ['/a', '/b', '/c']) store.drop(target)
      assert.equal(store.bytes, 0)
    }),
  )
})

test('what was used longest ago makes room, and bytes are counted', () => {
  const store = new AnswerStore(10_000)
  for (const target of ['/a', '/b', '/c']) store.put(target, answer('x', 2_500), [])
  assert.ok(store.find('/a', 'x', []) !== null)
  store.put('/d', answer('x', 2_500), [])
  assert.equal(store.find('/b', 'x', []), null)
  assert.ok(store.find('/a', 'x', []) !== null)
  assert.ok(store.bytes <= 10_000)
  store.put('/huge', answer('x', 20_000), [])
  assert.equal(store.bytes, 0)
})

test('one target keeps a bounded number of answers', () => {
  const store = new AnswerStore(10_000_000)
  for (let i = 0; i < 300; i++) store.put('/a', answer(`caller ${i}`, 1), [])
  assert.equal(store.find('/a', 'caller 0', []), null)
  assert.ok(store.find('/a', 'caller 299', []) !== null)
})

test('a rule that is prepared anew is another one', () => {
  const store = new AnswerStore(1)
  const [one, two] = [{}, {}]
  assert.equal(store.ruleId(one), store.ruleId(one))
  assert.notEqual(store.ruleId(one), store.ruleId(two))
})
