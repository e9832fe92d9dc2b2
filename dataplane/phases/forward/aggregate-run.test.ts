/**
 * Promises of aggregate-run.ts: many calls, their order, their bounds, and the plain twin.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Call } from '#wire/aggregate'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import type { Outcome } from '../../request/outcome.ts'
import { isRefused } from '../../runtime/preparer.ts'
import {
  action,
  ask,
  body,
  build,
  call,
  ECHO,
  json,
  prepared,
  type Result,
  type Rig,
  rig,
  run,
} from './fake/aggregate-rig.ts'

function each(
  some: Partial<NonNullable<Call['forEach']>>,
  fallback: Call['fallback'] = null,
): Call {
  return call('items', {
    dependsOn: ['list'],
    fallback,
    forEach: {
      in: 'calls.list.body',
      as: 'item',
      key: null,
      max: 5,
      concurrency: 2,
      overflow: 'fail',
      onItemError: 'fail',
      ...some,
    },
    path: { segments: [[{ expr: 'item.status' }], ['"', { expr: 'item.id' }, '"']], query: [] },
  })
}

test('items become a list, or a map with key, and failures follow onItemError', async (t) => {
  const made = await rig(t, ECHO)
  const list = call('list', {
    path: '/200/[{"id":"p","status":200},{"id":"q","status":500},{"id":"r","status":200}]',
  })
  const bodies = 'calls.items.map(i, i.body)'
  const with0 = { kind: 'value', value: 0 } as const
  const ask1 = (made1: Call, expr: string): Promise<Result> =>
    ask(action([list, made1], body({ all: expr })), made)
  assert.equal(
    (await ask1(each({ onItemError: 'omit' }, with0), bodies)).text.split(',"_errors"')[0],
    '{"all":["p","r"]',
  )
  assert.equal(
    (await ask1(each({ onItemError: 'fallback' }, with0), bodies)).text.split(',"_errors"')[0],
    '{"all":["p",0,"r"]',
  )
  assert.match(
    (await ask1(each({}, with0), 'calls.items.body')).text,
    /^\{"all":0,"_errors":\[.*item-failed/,
  )
  assert.equal((await ask1(each({}), bodies)).cause, 'call-failed')
  const keyed = await ask1(
    each({ key: 'item.id', onItemError: 'omit' }, with0),
    'calls.items["r"].body',
  )
  assert.match(keyed.text, /^\{"all":"r",/)
  assert.equal((await ask1(each({ max: 2 }), bodies)).cause, 'call-failed')
  const cut = await ask1(each({ max: 1, overflow: 'truncate' }), bodies)
  assert.match(
    cut.text,
    /^\{"all":\["p"\],"_errors":\[\{"path":"all","call":"items","code":"too-many-items"\}\]\}/,
  )
})

/** The path of an item is made of its sku, its key is the id. */
function keyedBy(
  onItemError: 'fail' | 'fallback' | 'omit',
  lines: readonly object[],
  some: Partial<Call> = {},
): readonly Call[] {
  const text = JSON.stringify(lines)
  return [
    call('list', { path: `/200/${text}` }),
    {
      ...each({ key: 'item.id', onItemError }, { kind: 'value', value: 'none' }),
      path: { segments: [['200'], ['"', { expr: 'item.sku' }, '"']], query: [] },
      ...some,
    },
  ]
}

const ALL_ITEMS = body({
  p: 'calls.items["p"].body',
  n: 'size(calls.items)',
  b: 'calls.items.body',
})

test('an item whose key has no value fails alone, as onItemError says', async (t) => {
  const made = await rig(t, ECHO)
  const lines = [
    { id: null, sku: 'a' },
    { sku: 'b' },
    { id: ['p'], sku: 'c' },
    { id: 'p', sku: 'd' },
  ]
  const found = { shown: { p: 'd', n: 1, b: null }, code: 'missing-input', failed: 3 }
  // What has no place in the map is not asked for.
  await passesOver(made, lines, { ...found, asked: 2 })
  const failing = await ask(action(keyedBy('fail', lines), ALL_ITEMS), made)
  assert.match(failing.text, /"b":"none","_errors":\[.*"missing-input"/)
})

test('of two items with one key the first holds, and the other is told', async (t) => {
  const made = await rig(t, ECHO)
  const lines = [
    { id: 'p', sku: 'a' },
    { id: 'p', sku: 'b' },
    { id: 'q', sku: 'c' },
  ]
  const found = { shown: { p: 'a', n: 2, b: null }, code: 'duplicate-key', failed: 1 }
  await passesOver(made, lines, { ...found, asked: 3 })
  made.seen.length = 0
  const failing = await ask(action(keyedBy('fail', lines), ALL_ITEMS), made)
  assert.match(failing.text, /"b":"none","_errors":\[.*"duplicate-key"/)
  assert.equal(made.seen.length, 1, 'nothing is sent for items that cannot all have a place')
})

test('items with one key that are one request are one item', async (t) => {
  const made = await rig(t, ECHO)
  const lines = [
    { id: 'p', sku: 'a', quantity: 1 },
    { id: 'p', sku: 'a', quantity: 2 },
  ]
  const { text } = await ask(action(keyedBy('fail', lines), ALL_ITEMS), made)
  assert.match(text, /^\{"p":"a","n":1,/)
  assert.equal(made.seen.length, 2)
  const unsafe = await ask(action(keyedBy('omit', lines, { method: 'POST' }), ALL_ITEMS), made)
  assert.match(unsafe.text, /"duplicate-key"/)
})

interface PassedOver {
  readonly shown: object
  readonly code: string
  readonly failed: number
  /** Requests, the one for the list included. */
  readonly asked: number
}

/** Where failures of items do not decide, both ways show the same. */
async function passesOver(made: Rig, lines: readonly object[], found: PassedOver): Promise<void> {
  for (const how of ['omit', 'fallback'] as const) {
    made.seen.length = 0
    const { text } = await ask(action(keyedBy(how, lines), ALL_ITEMS), made)
    const { _errors: errors, ...rest } = JSON.parse(text)
    assert.deepEqual(rest, found.shown, how)
    assert.equal(codes(errors, found.code), found.failed, how)
    assert.equal(made.seen.length, found.asked, how)
  }
}

/** How many items failed so: each is told at each place that shows the call. */
function codes(errors: readonly { readonly code: string }[], code: string): number {
  return errors.filter((error) => error.code === code).length / 3
}

test('equal safe calls are sent once, unsafe ones each time', async (t) => {
  const made = await rig(t, ECHO)
  const same = ['a', 'b', 'c'].map((name) => call(name, { path: '/200/{"x":1}' }))
  await ask(action(same, body({ a: 'calls.a.body', c: 'calls.c.body' })), made)
  assert.equal(made.seen.length, 1)
  const unsafe = ['a', 'b'].map((name) => call(name, { path: '/200/{"x":2}', method: 'POST' }))
  await ask(action(unsafe, body({ a: 'calls.a.body' })), made)
  assert.equal(made.seen.length, 3)
})

test('equal calls are sent once also where the first was answered long before', async (t) => {
  const made = await rig(t, ECHO)
  const calls = [
    call('a', { path: '/200/{"x":1}' }),
    call('b', { path: '/200/{"x":1}', dependsOn: ['a'] }),
  ]
  const { text } = await ask(action(calls, body({ b: 'calls.b.body.x' })), made)
  assert.equal(text, '{"b":1}')
  assert.equal(made.seen.length, 1)
})

test('each call judges its answer by what it expects itself', async (t) => {
  const made = await rig(t, ECHO)
  const calls = [
    call('a', { path: '/404/{"x":1}', fallback: { kind: 'none' } }),
    call('b', {
      path: '/404/{"x":1}',
      expect: { statuses: [{ from: 404, to: 404 }], contentType: null },
    }),
  ]
  const { text } = await ask(action(calls, body({ a: 'calls.a.ok', b: 'calls.b.ok' })), made)
  assert.match(text, /^\{"a":false,"b":true,/)
})

test('no more calls are under way at once than is allowed', async (t) => {
  let inside = 0
  let most = 0
  const made = await rig(t, (_, response) => {
    inside += 1
    most = Math.max(most, inside)
    setImmediate(() => {
      inside -= 1
      json(response, 200, '1')
    })
  })
  const calls = Array.from({ length: 12 }, (_, i) => call(`c${i}`, { path: `/${i}` }))
  const limited = action(calls, body({ a: 'calls.c0.body' }), { concurrencyMax: 3 })
  assert.equal((await ask(limited, made)).status, 200)
  assert.ok(most <= 3, `${most} at once`)
  const few = await ask(action(calls, body({ a: 'calls.c0.body' }), { callsMax: 4 }), made)
  assert.match(few.text, /too-many-calls/)
})

test('the deadline of the whole settles everything that is late', async (t) => {
  const made = await rig(t, (request, response) => {
    if (request.url === '/fast') json(response, 200, '1')
  })
  const late = { kind: 'value', value: 'late' } as const
  const calls = [
    call('fast', { path: '/fast' }),
    call('slow', { path: '/slow', fallback: late }),
    call('after', { path: '/after', dependsOn: ['slow'], fallback: late }),
  ]
  const tree = body({ fast: 'calls.fast.body', slow: 'calls.slow.body', after: 'calls.after.body' })
  const { text, header } = await ask(action(calls, tree, { deadlineMs: 60 }), made)
  assert.match(text, /^\{"fast":1,"slow":"late","after":"late","_errors":/)
  assert.ok(!made.seen.includes('/after'), 'nothing begins after the deadline')
  assert.match(header('server-timing') ?? '', /slow;dur=/, 'what was cut off has taken its time')
})

test('a client that leaves cancels every call', async (t) => {
  const closed = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const made = await rig(t, (request) => {
    arrived.resolve()
    request.socket.once('close', () => closed.resolve())
  })
  const asked = fakeExchange()
  let settled: Outcome | null = null
  void run(
    prepared(action([call('a', { path: '/a' })], body({ a: 'calls.a.body' }))),
    asked,
    made.upstream,
  ).then((outcome) => {
    settled = outcome
  })
  await arrived.promise
  asked.answer.leave()
  await closed.promise
  assert.equal(settled, null)
})

test('an aggregate that cannot be prepared is refused with its reason', () => {
  const broken = action([call('a', { path: '/a', when: 'no such(' })], body({ a: 'calls.a.body' }))
  const built = build(broken)
  assert.ok(isRefused(built) && built.because !== '')
})

// ---- against a plain twin -------------------------------------------------------------------

interface Plan {
  readonly needs: readonly number[]
  readonly answers: 'value' | 'error'
  readonly when: 'true' | 'false'
  readonly fallback: 'required' | 'value' | 'none'
}

const plans = fc.array(
  fc.record({
    needs: fc.array(fc.nat(5), { maxLength: 3 }),
    answers: fc.constantFrom('value' as const, 'value' as const, 'error' as const),
    when: fc.constantFrom('true' as const, 'true' as const, 'false' as const),
    fallback: fc.constantFrom('required' as const, 'value' as const, 'none' as const),
  }),
  { minLength: 1, maxLength: 6 },
)

/** One after the other: the bodies, or null where a required call fails. */
function twin(all: readonly Plan[]): readonly unknown[] | null {
  const bodies: unknown[] = []
  for (const [i, { answers, when, fallback }] of all.entries()) {
    const stand = fallback === 'value' ? `f${i}` : null
    if (when === 'false') bodies.push(stand)
    else if (answers === 'value') bodies.push(`v${i}`)
    else if (fallback === 'required') return null
    else bodies.push(stand)
  }
  return bodies
}

test('every aggregate agrees with its plain twin', async (t) => {
  const made = await rig(t, ECHO)
  await fc.assert(
    fc.asyncProperty(plans, async (all) => {
      const calls = all.map((plan, i) => {
        const needs = [...new Set(plan.needs.filter((other) => other < i))]
        const fallback = {
          required: null,
          none: { kind: 'none' as const },
          value: { kind: 'value' as const, value: `f${i}` },
        }[plan.fallback]
        return call(`c${i}`, {
          dependsOn: needs.map((other) => `c${other}`),
          when: plan.when,
          fallback,
          path: plan.answers === 'value' ? `/200/"v${i}"` : '/500/{}',
        })
      })
      const fields = Object.fromEntries(all.map((_, i) => [`b${i}`, `calls.c${i}.body`]))
      const { status, text } = await ask(action(calls, body(fields)), made)
      const expected = twin(all)
      if (expected === null) assert.equal(status, 502)
      else {
        const { _errors: _, ...bodies } = JSON.parse(text)
        assert.deepEqual(Object.values(bodies), expected)
      }
    }),
    { numRuns: 60 },
  )
})
