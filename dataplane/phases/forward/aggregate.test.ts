/** Promises of aggregate.ts and the files beside it, against real backends on loopback. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { AggregateAction, Call } from '#wire/aggregate'
import type { TemplateTree } from '#wire/value'
import { monotonicMs } from '../../clock.ts'
import type { Exchange } from '../../request/exchange.ts'
import type { Outcome } from '../../request/outcome.ts'
import { createExpressions } from '../../runtime/expression.ts'
import { createPreparer, isRefused } from '../../runtime/preparer.ts'
import type { Preparer, Refused } from '../../runtime/prepare.ts'
import { Deadlines } from '../../upstream/deadlines.ts'
import { UndiciUpstream } from '../../upstream/undici.ts'
import { fakeExchange, type FakeAnswer } from '../../../test/fake/exchange.ts'
import { answerOf, failureOf } from './aggregate-answer.ts'
import { AggregateRun } from './aggregate-run.ts'
import { buildAggregate } from './build-aggregate.ts'
import type { PreparedAggregate } from './prepared-aggregate.ts'

const KEY = 'shop/parts:80'
const prepare: Preparer = createPreparer(createExpressions())

function build(action: AggregateAction): PreparedAggregate | Refused {
  const reader = { get: () => null, reject: () => undefined }
  return buildAggregate(action, reader, { prepare } as Parameters<typeof buildAggregate>[2])
}

interface Rig {
  readonly upstream: UndiciUpstream
  /** Targets in the order of arrival. */
  readonly seen: string[]
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void

async function rig(t: TestContext, serve: Serve): Promise<Rig> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    serve(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const deadlines = new Deadlines(monotonicMs)
  const upstream = new UndiciUpstream({ now: monotonicMs, random: Math.random, deadlines })
  upstream.backends(new Map([[KEY, { protocol: 'http', clusterAddress: null }]]))
  upstream.endpoints({
    backend: KEY,
    version: 1,
    endpoints: [{ address: '127.0.0.1', port, zone: null }],
  })
  t.after(async () => {
    deadlines.stop()
    await upstream.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { upstream, seen }
}

function json(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(text)
}

/** Answers `/status/json`: `/200/{"a":1}`. */
const ECHO: Serve = (request, response) => {
  const [, status = '200', text = '{}'] = decodeURIComponent(request.url ?? '').split('/')
  json(response, Number(status), text)
}

function call(
  name: string,
  some: Partial<Omit<Call, 'path'>> & { path: string | Call['path'] },
): Call {
  const path =
    typeof some.path === 'string'
      ? {
          segments: some.path
            .slice(1)
            .split('/')
            .map((part) => [encodeURIComponent(part)]),
          query: [],
        }
      : some.path
  return {
    name,
    dependsOn: [],
    when: null,
    forEach: null,
    backend: { kind: 'backend', backend: KEY },
    method: 'GET',
    headers: { forward: ['trace'], set: [] },
    body: null,
    timeoutMs: null,
    expect: { statuses: [{ from: 200, to: 299 }], contentType: null },
    fallback: null,
    ...some,
    path,
  }
}

function hole(expr: string): TemplateTree {
  return { kind: 'template', template: [{ expr }] }
}

function body(fields: Readonly<Record<string, string>>): TemplateTree {
  return {
    kind: 'object',
    fields: Object.entries(fields).map(([name, expr]) => ({ name, tree: hole(expr) })),
  }
}

function action(
  calls: readonly Call[],
  tree: TemplateTree,
  some: Partial<AggregateAction> = {},
): AggregateAction {
  return {
    kind: 'aggregate',
    deadlineMs: 5_000,
    callsMax: 50,
    concurrencyMax: 12,
    totalBytesMax: 100_000,
    errors: { field: '_errors', detail: 'summary' },
    calls,
    response: { status: null, headers: [], body: tree },
    ...some,
  }
}

interface Result {
  readonly status: number
  readonly text: string
  readonly cause: string | null
  header(name: string): string | null
}

function prepared(made: AggregateAction): PreparedAggregate {
  const built = build(made)
  assert.ok(!isRefused(built), isRefused(built) ? built.because : '')
  return built
}

async function ask(
  made: AggregateAction,
  { upstream }: Rig,
  asked = fakeExchange(),
): Promise<Result> {
  const aggregate = prepared(made)
  const outcome = await run(aggregate, asked, upstream)
  if (outcome.kind === 'fail') {
    return {
      status: outcome.status,
      text: outcome.detail,
      cause: outcome.cause,
      header: () => null,
    }
  }
  assert.equal(outcome.kind, 'respond')
  if (outcome.kind !== 'respond') throw new Error('unreachable')
  const { headers, status } = outcome
  const text = outcome.body.kind === 'bytes' ? outcome.body.bytes.toString('utf8') : ''
  const header = (name: string): string | null => {
    const at = headers.findIndex((word, i) => i % 2 === 0 && word === name)
    return at === -1 ? null : (headers[at + 1] ?? null)
  }
  return { status, text, cause: null, header }
}

function run(
  aggregate: PreparedAggregate,
  { exchange, answer }: { readonly exchange: Exchange; readonly answer: FakeAnswer },
  upstream: UndiciUpstream,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const running = new AggregateRun(aggregate, { exchange, upstream }, (finished) => {
      if (finished.kind === 'failed') resolve(failureOf(finished.by, finished.failure))
      else resolve(answerOf(aggregate, finished, running.scope).outcome)
    })
    answer.onAbort(() => running.abort())
    running.start()
  })
}

test('calls run at once where nothing orders them', async (t) => {
  const waiting: ServerResponse[] = []
  const made = await rig(t, (_, response) => {
    waiting.push(response)
    // Nobody is answered before both have arrived.
    if (waiting.length === 2) for (const one of waiting) json(one, 200, '{"x":1}')
  })
  const calls = [call('a', { path: '/a' }), call('b', { path: '/b' })]
  const { status, text, header } = await ask(
    action(calls, body({ a: 'calls.a.body', b: 'calls.b.body.x' })),
    made,
  )
  assert.equal(status, 200)
  assert.equal(text, '{"a":{"x":1},"b":1}')
  assert.equal(header('aggregate-status'), 'complete')
  assert.match(header('server-timing') ?? '', /a;dur=\d+\.\d, b;dur=/)
})

test('a call that needs another one gets its answer, integers with all their digits', async (t) => {
  const made = await rig(t, ECHO)
  const calls = [
    call('order', { path: '/200/{"customer":12345678901234567890,"n":1.0}' }),
    call('customer', {
      dependsOn: ['order'],
      path: { segments: [['200'], ['"', { expr: 'calls.order.body.customer' }, '"']], query: [] },
    }),
  ]
  const tree = body({
    order: 'calls.order.body',
    id: 'calls.customer.body',
    status: 'calls.order.status',
  })
  const { text } = await ask(action(calls, tree), made)
  assert.equal(
    text,
    '{"order":{"customer":12345678901234567890,"n":1.0},"id":"12345678901234567890","status":200}',
  )
  assert.deepEqual(made.seen.length, 2)
})

test('an answer that is not what was expected is a failure with its code', async (t) => {
  const made = await rig(t, (request, response) => {
    const [, kind] = (request.url ?? '').split('/')
    if (kind === 'plain') response.writeHead(200, { 'content-type': 'text/plain' }).end('x')
    else if (kind === 'gzip') {
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end('x')
    } else if (kind === 'torn') json(response, 200, '{"a":')
    else if (kind === 'reset') response.socket?.destroy()
    else if (kind === 'large') json(response, 200, JSON.stringify('x'.repeat(200_000)))
    else json(response, Number(kind), '{}')
  })
  const expected: Readonly<Record<string, string>> = {
    '/500': 'unexpected-status',
    '/302': 'unexpected-status',
    '/404': 'unexpected-status',
    '/plain': 'unexpected-type',
    '/gzip': 'unexpected-type',
    '/torn': 'unparsable',
    '/reset': 'broken',
    '/large': 'too-large',
  }
  for (const [path, code] of Object.entries(expected)) {
    const one = call('a', {
      path,
      fallback: { kind: 'value', value: { left: 0 } },
      expect: { statuses: [{ from: 200, to: 299 }], contentType: 'application/json' },
    })
    const { status, text, header } = await ask(
      action([one], body({ a: 'calls.a.body', ok: 'calls.a.ok' })),
      made,
    )
    assert.equal(status, 200, path)
    const wanted = { a: { left: 0 }, ok: false }
    const errors = ['a', 'ok'].map((at) => ({ path: at, call: 'a', code }))
    assert.deepEqual(JSON.parse(text), { ...wanted, _errors: errors }, path)
    assert.equal(header('aggregate-status'), 'partial;failed="a"', path)
  }
})

test('a required call decides: its 4xx passes, all else is 502, its time 504', async (t) => {
  const made = await rig(t, (request, response) => {
    if (request.url !== '/slow') ECHO(request, response)
  })
  const cases: readonly (readonly [string, number, string | null])[] = [
    ['/404/{"no":"such"}', 404, null],
    ['/500/{}', 502, 'call-failed'],
    ['/301/{}', 502, 'call-failed'],
    ['/200/{"a":', 502, 'call-failed'],
    ['/slow', 504, 'call-timeout'],
  ]
  for (const [path, status, cause] of cases) {
    const result = await ask(
      action([call('a', { path, timeoutMs: 80 })], body({ a: 'calls.a.body' })),
      made,
    )
    assert.deepEqual([result.status, result.cause], [status, cause], path)
    if (status === 404) assert.equal(result.text, '{"no":"such"}')
  }
})

test('a value that is missing, or would be no single segment, is never sent', async (t) => {
  const made = await rig(t, ECHO)
  for (const expr of ['calls.a.body.none', '".."', '""', 'request.params.none']) {
    const a = call('a', { path: '/200/{"x":1}' })
    const b = call('b', { dependsOn: ['a'], path: { segments: [['200'], [{ expr }]], query: [] } })
    const result = await ask(action([a, b], body({ b: 'calls.b.body' })), made)
    assert.deepEqual([result.status, result.cause], [502, 'missing-input'], expr)
  }
  assert.equal(made.seen.filter((target) => target !== '/200/%7B%22x%22%3A1%7D').length, 0)
})

test('a missing part is said in the header, in _errors and to caches', async (t) => {
  const made = await rig(t, ECHO)
  const calls = [
    call('a', { path: '/200/{"x":1}' }),
    call('b', { path: '/503/{}', fallback: { kind: 'none' } }),
  ]
  const response = {
    status: null,
    headers: [{ name: 'cache-control', value: ['max-age=60'], onFailure: 'remove' as const }],
    body: body({ x: 'calls.a.body.x', deep: 'calls.b.body.left', b: 'calls.b.body' }),
  }
  const full = action(calls, response.body, {
    response,
    errors: { field: '_errors', detail: 'full' },
  })
  const { status, text, header } = await ask(full, made)
  assert.equal(status, 200)
  const parsed = JSON.parse(text)
  assert.deepEqual([parsed.x, parsed.deep, parsed.b], [1, null, null])
  assert.deepEqual(parsed._errors.map((error: { path: string }) => error.path).toSorted(), [
    'b',
    'deep',
  ])
  assert.deepEqual(parsed._errors[0].status, 503)
  assert.equal(parsed._errors[0].fallback, 'none')
  assert.equal(header('cache-control'), 'no-store')
  assert.equal(header('aggregate-status'), 'partial;failed="b";holes=1')
  const silent = action(calls, response.body, { errors: { field: '_errors', detail: 'none' } })
  assert.equal((await ask(silent, made)).text, '{"x":1,"deep":null,"b":null}')
})

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

test('equal safe calls are sent once, unsafe ones each time', async (t) => {
  const made = await rig(t, ECHO)
  const same = ['a', 'b', 'c'].map((name) => call(name, { path: '/200/{"x":1}' }))
  await ask(action(same, body({ a: 'calls.a.body', c: 'calls.c.body' })), made)
  assert.equal(made.seen.length, 1)
  const unsafe = ['a', 'b'].map((name) => call(name, { path: '/200/{"x":2}', method: 'POST' }))
  await ask(action(unsafe, body({ a: 'calls.a.body' })), made)
  assert.equal(made.seen.length, 3)
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
  const { text } = await ask(action(calls, tree, { deadlineMs: 60 }), made)
  assert.match(text, /^\{"fast":1,"slow":"late","after":"late","_errors":/)
  assert.ok(!made.seen.includes('/after'), 'nothing begins after the deadline')
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
