/**
 * Proves shared-limiter.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Limit } from '#wire/rate-limit'
import { fakeExchange } from '../../test/fake/exchange.ts'
import type { Caller } from '../phases/authenticate/caller.ts'
import { anonymousCaller } from '../phases/authenticate/caller.ts'
import { consumer } from '../phases/authenticate/fake/policy.ts'
import type { Received } from '../request/exchange.ts'
import { limit, memory, prepared, rateOf } from './fake/limit.ts'
import { PlainBucket } from './gcra-plain.ts'
import type { PreparedLimit, TakeResult } from './limiter.ts'
import { SharedLimiter } from './shared-limiter.ts'

const S = 1_000_000_000n

class World {
  nowNs = 1_000n * S
  readonly limiter: SharedLimiter
  constructor() {
    this.limiter = new SharedLimiter(memory(), 0, () => this.nowNs)
  }
  take(
    limits: readonly PreparedLimit[],
    request: Partial<Received> & { readonly caller?: Caller; readonly dataPlanes?: number } = {},
  ): TakeResult {
    const { exchange } = fakeExchange(request)
    exchange.caller = request.caller ?? null
    return this.limiter.take(limits, exchange, request.dataPlanes ?? 1)
  }
  /** admitted, or the name of the limit that refused. */
  said(...parameters: Parameters<World['take']>): string {
    const result = this.take(...parameters)
    return result.kind === 'admitted' ? 'admitted' : `${result.kind} ${result.by.limit.name}`
  }
}

test('a refused limit gives back those taken before it', () => {
  const world = new World()
  const [first, gauge, small] = prepared(
    limit({ name: 'first', measure: rateOf(10, 10_000) }),
    limit({ name: 'gauge', measure: { kind: 'concurrency', max: 3 } }),
    limit({ name: 'small', measure: rateOf(1, 10_000) }),
  )
  assert.ok(first && gauge && small)
  assert.equal(world.said([first, gauge, small]), 'admitted')
  const result = world.take([first, gauge, small])
  assert.ok(result.kind === 'refused')
  assert.deepEqual(
    result.standings.map(({ name, remaining }) => [name, remaining]),
    [
      ['first', 9],
      ['small', 0],
    ],
  )
  for (let i = 0; i < 20; i++) assert.equal(world.said([first, gauge, small]), 'refused small')
  // nine of ten are left, and two of three at once
  for (let i = 0; i < 9; i++) assert.equal(world.said([first]), 'admitted')
  assert.equal(world.said([first]), 'refused first')
  assert.equal(world.said([gauge]), 'admitted')
  assert.equal(world.said([gauge]), 'admitted')
  assert.equal(world.said([gauge]), 'refused gauge')
})

test('any requests are admitted as plain buckets, taken all or none, admit them', () => {
  const rates = fc.array(
    fc.record({ count: fc.constantFrom(1, 2, 5), burst: fc.integer({ min: 1, max: 4 }) }),
    { minLength: 1, maxLength: 3 },
  )
  const steps = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), gapMs: fc.nat(700) }))
  fc.assert(
    fc.property(rates, steps, (all, requests) => {
      const world = new World()
      const limits = prepared(
        ...all.map(({ count, burst }, i) =>
          limit({ name: `l${i}`, key: 'request.host', measure: rateOf(count, 1000, { burst }) }),
        ),
      )
      const plain = new Map<string, PlainBucket[]>()
      for (const { key, gapMs } of requests) {
        world.nowNs += BigInt(gapMs) * 1_000_000n
        const buckets =
          plain.get(key) ?? all.map((rate) => new PlainBucket({ ...rate, periodMs: 1000 }))
        plain.set(key, buckets)
        const room = buckets.every((one) => one.take(world.nowNs, 0) && one.remaining() >= 1)
        if (room) for (const one of buckets) one.take(world.nowNs, 1)
        assert.equal(world.said(limits, { host: key }) === 'admitted', room)
      }
    }),
  )
})

test('each key has a bucket of its own, and another limit’s key is another bucket', () => {
  const world = new World()
  const measure = rateOf(1, 10_000)
  const [calls, exports] = prepared(
    limit({ key: 'request.ip', measure }),
    limit({ name: 'exports', key: 'request.ip', measure }),
  )
  assert.ok(calls && exports)
  assert.equal(world.said([calls], { ip: '192.0.2.1' }), 'admitted')
  assert.equal(world.said([calls], { ip: '192.0.2.1' }), 'refused calls')
  assert.equal(world.said([calls], { ip: '192.0.2.2' }), 'admitted')
  assert.equal(world.said([exports], { ip: '192.0.2.1' }), 'admitted')
})

test('a limit whose condition is false is not taken; one whose condition fails is', () => {
  const world = new World()
  const measure = rateOf(1, 10_000)
  const [posts, failing] = prepared(
    limit({ name: 'posts', when: 'request.method == "POST"', measure }),
    limit({ name: 'failing', when: 'request.headers.nothing == "x"', measure }),
  )
  assert.ok(posts && failing)
  for (let i = 0; i < 3; i++) assert.equal(world.said([posts]), 'admitted')
  assert.equal(world.said([posts], { method: 'POST' }), 'admitted')
  assert.equal(world.said([posts], { method: 'POST' }), 'refused posts')
  assert.equal(world.said([failing]), 'admitted')
  assert.equal(world.said([failing]), 'refused failing')
})

test('the first rate whose condition is true counts, with a bucket of its own', () => {
  const world = new World()
  const measure: Limit['measure'] = {
    ...rateOf(1, 10_000),
    rates: [
      { when: '"gold" in auth.groups', rate: { count: 3, periodMs: 10_000, burst: 3 } },
      { when: 'auth.groups.size() > 0', rate: { count: 2, periodMs: 10_000, burst: 2 } },
    ],
  }
  const limits = prepared(limit({ measure }))
  const caller = (...groups: readonly string[]): Caller => ({ ...anonymousCaller('x'), groups })
  const admitted = (by: Caller): number => {
    let count = 0
    while (world.said(limits, { caller: by }) === 'admitted') count++
    return count
  }
  assert.equal(admitted(caller('silver', 'gold')), 3)
  assert.equal(admitted(caller('silver')), 2)
  assert.equal(admitted(caller()), 1)
})

test('a cost that fails is 1, a negative one is nothing, and a large one takes its time', () => {
  const cost = (text: string): readonly PreparedLimit[] =>
    prepared(limit({ name: text, measure: rateOf(5, 5_000, { cost: text }) }))
  const admitted = (text: string): number => {
    const world = new World()
    let count = 0
    while (count < 100 && world.said(cost(text)) === 'admitted') count++
    return count
  }
  assert.equal(admitted('request.headers.nothing'), 5)
  assert.equal(admitted('"2"'), 5)
  assert.equal(admitted('2'), 2)
  assert.equal(admitted('2.5'), 2)
  assert.equal(admitted('-3'), 100)
  assert.equal(admitted('0'), 100)
  assert.equal(admitted('6'), 0)
  assert.equal(admitted('9223372036854775807'), 0)
})

test('a request without the key is refused, or shares one bucket with its like', () => {
  const world = new World()
  const acme = { ...anonymousCaller('key'), consumer: consumer('acme') }
  const measure = rateOf(1, 10_000)
  const refuse = prepared(limit({ key: 'auth.consumer', measure }))
  assert.equal(world.said(refuse), 'keyMissing calls')
  assert.equal(world.said(refuse, { caller: anonymousCaller('guest') }), 'keyMissing calls')
  assert.equal(world.said(refuse, { caller: acme }), 'admitted')
  const shared = prepared(limit({ key: 'request.headers.tenant', onMissingKey: 'shared', measure }))
  assert.equal(world.said(shared), 'admitted')
  assert.equal(world.said(shared, { host: 'other.example.com' }), 'refused calls')
  assert.equal(world.said(shared, { headers: ['tenant', 'blue'] }), 'admitted')
})

test('a limit in observe mode refuses nobody, and says whom it would have refused', () => {
  const world = new World()
  const limits = prepared(
    limit({ name: 'watched', mode: 'observe', measure: rateOf(1, 10_000) }),
    limit({ name: 'keyed', mode: 'observe', key: 'auth.consumer' }),
    limit({ name: 'gauge', mode: 'observe', measure: { kind: 'concurrency', max: 1 } }),
  )
  const first = world.take(limits)
  assert.ok(first.kind === 'admitted')
  assert.deepEqual(first.observed, ['keyed'])
  assert.deepEqual(first.standings, [])
  const second = world.take(limits)
  assert.ok(second.kind === 'admitted')
  assert.deepEqual(second.observed, ['watched', 'keyed', 'gauge'])
})

test('who is refused hears when to come back, and is then admitted', () => {
  const world = new World()
  const limits = prepared(limit({ measure: rateOf(10, 60_000, { burst: 2 }) }))
  world.take(limits)
  const admitted = world.take(limits)
  assert.ok(admitted.kind === 'admitted')
  const standing = { name: 'calls', count: 10, periodS: 60 }
  assert.deepEqual(admitted.standings, [{ ...standing, remaining: 0, resetS: 12 }])
  world.nowNs += 500_000_000n
  const refused = world.take(limits)
  assert.ok(refused.kind === 'refused')
  assert.deepEqual(refused.standings, [{ ...standing, remaining: 0, resetS: 12 }])
  assert.equal(refused.retryAfterS, 6)
  world.nowNs += BigInt(refused.retryAfterS) * S
  assert.equal(world.said(limits), 'admitted')
})

test('a released slot is free for the next', () => {
  const world = new World()
  const limits = prepared(limit({ measure: { kind: 'concurrency', max: 1 } }))
  const first = world.take(limits)
  assert.ok(first.kind === 'admitted')
  const second = world.take(limits)
  assert.deepEqual([second.kind, second.kind === 'refused' && second.retryAfterS], ['refused', 1])
  world.limiter.release(first.held)
  assert.equal(world.said(limits), 'admitted')
})

test('several data planes each take their part', () => {
  const world = new World()
  const limits = prepared(
    limit({ name: 'rate', measure: rateOf(10, 10_000) }),
    limit({ name: 'gauge', measure: { kind: 'concurrency', max: 20 } }),
  )
  let count = 0
  while (world.said(limits, { dataPlanes: 3 }) === 'admitted') count++
  assert.equal(count, 3)
  world.nowNs += 3n * S
  assert.equal(world.said(limits, { dataPlanes: 3 }), 'admitted')
})

test('a table with another rate keeps what was used', () => {
  const world = new World()
  const rate = (count: number) => prepared(limit({ measure: rateOf(count, 10_000) }))
  for (let i = 0; i < 80; i++) world.take(rate(100))
  let count = 0
  while (world.said(rate(50)) === 'admitted') count++
  assert.equal(count, 10)
})
