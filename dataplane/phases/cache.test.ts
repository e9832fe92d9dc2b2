/**
 * Answers that are served again.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cache } from '#wire/traffic'
import { FakeBody, fakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime, FakeStream } from '../../test/fake/runtime.ts'
import type { Exchange } from '../request/exchange.ts'
import { fail } from '../request/failure.ts'
import { headerValue } from '../request/headers.ts'
import type { AnswerSink, Outcome } from '../request/outcome.ts'
import type { Soon } from '../request/walk.ts'
import type { PreparedRule } from '../runtime/runtime.ts'
import { anonymousCaller, type Caller } from './authenticate/caller.ts'
import { lookUp, stored } from './cache.ts'

function cached(some: Partial<Cache> = {}): PreparedRule {
  return fakeRule({ cache: { ttlS: 60, audience: 'private', by: [], staleIfErrorS: 0, ...some } })
}

interface Asking {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly string[]
  readonly caller?: Caller | null
}

function ask(rule: PreparedRule, asking: Asking = {}): Exchange {
  const { method = 'GET', path = '/a', headers = [], caller = null } = asking
  const { exchange } = fakeExchange({ method, path, headers })
  exchange.rule = rule
  exchange.caller = caller
  exchange.upstreamHeaders = [...headers, 'x-request-id', String(Math.random())]
  return exchange
}

const NOBODY: AnswerSink = { data: () => 'more', end: () => undefined, fail: () => undefined }

/** What the backend answers goes through, as respond would have it. */
function answer(
  exchange: Exchange,
  runtime: FakeRuntime,
  headers: readonly string[] = [],
  body = 'made',
): Outcome {
  const stream = new FakeStream()
  const made = { kind: 'respond', status: 200, headers, by: 'upstream' } as const
  const outcome = stored({ ...made, body: { kind: 'stream', stream } }, exchange, runtime)
  if (outcome.kind === 'respond' && outcome.body.kind === 'stream') {
    outcome.body.stream.start(NOBODY)
    stream.push(body)
    stream.end()
  }
  return outcome
}

function seen(exchange: Exchange, runtime: FakeRuntime): string {
  const outcome = atOnce(lookUp(exchange, runtime))
  // As record does, whatever became of the exchange.
  exchange.flight?.land('unknown')
  return bodyOf(outcome)
}

function bodyOf(outcome: Outcome): string {
  if (outcome.kind !== 'respond') return outcome.kind
  return outcome.body.kind === 'bytes' ? outcome.body.bytes.toString() : String(outcome.status)
}

function atOnce(outcome: Soon<Outcome>): Outcome {
  assert('kind' in outcome, 'it waits')
  return outcome
}

function consumer(name: string): Caller {
  const labels = {}
  const externalIds = {}
  return {
    ...anonymousCaller('keys'),
    anonymous: false,
    consumer: {
      namespace: 'shop',
      name,
      displayName: name,
      labels,
      state: 'Active',
      groups: [],
      identities: [],
      externalIds,
    },
  }
}

test('an answer is served again to whom it was made for, and to nobody else', () => {
  const callers: readonly Asking[] = [
    {},
    { headers: ['Cookie', 'a=1'] },
    { headers: ['Authorization', 'Bearer x'] },
    { headers: ['X-Own-Key', 'secret'] },
    { caller: consumer('acme') },
    { caller: consumer('other') },
    { caller: { ...anonymousCaller('jwt'), anonymous: false, claims: { iss: 'i', sub: 's' } } },
  ]
  for (const owner of callers) {
    const [rule, runtime] = [cached(), new FakeRuntime()]
    assert.equal(seen(ask(rule, owner), runtime), 'continue')
    answer(ask(rule, owner), runtime)
    for (const other of callers) {
      const expected = other === owner ? 'made' : 'continue'
      assert.equal(seen(ask(rule, other), runtime), expected, JSON.stringify([owner, other]))
    }
  }
})

test('whom nobody can tell from others gets nothing from the store', () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  const caller = { ...anonymousCaller('jwt'), anonymous: false }
  answer(ask(rule, { caller }), runtime)
  assert.equal(seen(ask(rule, { caller }), runtime), 'continue')
})

test('a shared answer is for everybody, but not one that was made for a credential', () => {
  const [rule, runtime] = [cached({ audience: 'shared' }), new FakeRuntime()]
  const headers = ['Authorization', 'Bearer x']
  answer(ask(rule, { headers }), runtime)
  assert.equal(seen(ask(rule), runtime), 'continue')
  answer(ask(rule, { headers }), runtime, ['Cache-Control', 'public'])
  assert.equal(seen(ask(rule), runtime), 'made')
})

test('everything that decides an answer tells it from others', () => {
  const by = [{ of: 'header', name: 'x-tenant' }] as const
  const [rule, runtime] = [cached({ by, audience: 'shared' }), new FakeRuntime()]
  const own = ask(rule, { headers: ['X-Tenant', 'a'] })
  answer(own, runtime)
  assert.equal(seen(ask(rule, { headers: ['X-Tenant', 'a'] }), runtime), 'made')
  assert.equal(seen(ask(rule, { headers: ['X-Tenant', 'b'] }), runtime), 'continue')
  assert.equal(seen(ask(rule, { headers: ['X-Tenant', 'a'], path: '/b' }), runtime), 'continue')
  assert.equal(seen(ask(cached({ by, audience: 'shared' }), own), runtime), 'continue')
  for (const change of [
    (one: Exchange) => (one.upstreamPath = '/other'),
    (one: Exchange) => (one.upstreamQuery = 'q'),
    (one: Exchange) => (one.upstreamHost = 'other'),
    (one: Exchange) => (one.identityHeaders = ['x-user', 'u']),
  ]) {
    const exchange = ask(rule, { headers: ['X-Tenant', 'a'] })
    change(exchange)
    assert.equal(seen(exchange, runtime), 'continue')
  }
})

test('what an answer varies by is compared with what the backend was asked with', () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  const german = ask(rule, { headers: ['Accept-Language', 'de'] })
  answer(german, runtime, ['Vary', 'Accept-Language, accept'], 'deutsch')
  assert.equal(seen(ask(rule, { headers: ['accept-language', 'de'] }), runtime), 'deutsch')
  assert.equal(seen(ask(rule, { headers: ['accept-language', 'en'] }), runtime), 'continue')
  assert.equal(seen(ask(rule), runtime), 'continue')
})

test('only whole GETs are served from the store, and clients may ask for another', () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  answer(ask(rule), runtime)
  for (const headers of [
    ['Range', 'bytes=0-1'],
    ['If-Match', '"a"'],
    ['Cache-Control', 'no-cache'],
    ['Cache-Control', 'no-store'],
    ['Cache-Control', 'min-fresh=61'],
    ['Pragma', 'no-cache'],
  ]) {
    const exchange = ask(rule, { headers })
    assert.equal(seen(exchange, runtime), 'continue', headers.join(': '))
  }
  for (const method of ['HEAD', 'POST', 'OPTIONS']) {
    assert.equal(seen(ask(rule, { method }), runtime), 'continue')
  }
})

test('a client that has it is told so, and others learn its age', () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  answer(ask(rule), runtime, ['ETag', '"a"', 'Age', '5'])
  for (const [tags, expected] of [
    ['W/"a"', '304'],
    ['"b", "a"', '304'],
    ['*', '304'],
    ['"b"', 'made'],
    ['a', 'made'],
  ] as const) {
    assert.equal(seen(ask(rule, { headers: ['If-None-Match', tags] }), runtime), expected, tags)
  }
  const outcome = atOnce(lookUp(ask(rule), runtime))
  assert(outcome.kind === 'respond')
  assert.equal(headerValue(outcome.headers, 'age'), '5')
})

test('an answer that breaks off, is larger than the bound, or has trailers is not kept', () => {
  const ends: readonly ((stream: FakeStream) => void)[] = [
    (stream) => stream.fail(fail('upstream-reset', 'Reset.')),
    (stream) => {
      for (let i = 0; i < 17; i++) stream.push('x'.repeat(65_536))
      stream.end()
    },
    (stream) => stream.end(['x-sum', '1']),
  ]
  for (const end of ends) {
    const [rule, runtime] = [cached(), new FakeRuntime()]
    const stream = new FakeStream()
    const made = { kind: 'respond', status: 200, headers: [], by: 'upstream' } as const
    const outcome = stored({ ...made, body: { kind: 'stream', stream } }, ask(rule), runtime)
    assert(outcome.kind === 'respond' && outcome.body.kind === 'stream')
    outcome.body.stream.start(NOBODY)
    end(stream)
    assert.equal(seen(ask(rule), runtime), 'continue')
    assert.equal(runtime.beside.answers.bytes, 0)
  }
})

test('a request that changes something takes back what was answered before it', () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  answer(ask(rule), runtime)
  const respond = { kind: 'respond', headers: [], body: { kind: 'empty' }, by: 'upstream' } as const
  const other = fakeRule()
  stored({ ...respond, status: 500 }, ask(other, { method: 'POST' }), runtime)
  assert.equal(seen(ask(rule), runtime), 'made')
  stored({ ...respond, status: 201 }, ask(other, { method: 'POST' }), runtime)
  assert.equal(seen(ask(rule), runtime), 'continue')
})

test('an old answer stands in for a failing backend, for as long as the rule says', () => {
  const played = (staleIfErrorS: number, headers: readonly string[]): Outcome => {
    const [rule, runtime] = [cached({ ttlS: 60, staleIfErrorS }), new FakeRuntime()]
    answer(ask(rule), runtime, headers)
    aged(runtime, 100)
    assert.equal(seen(ask(rule), runtime), 'continue')
    return stored(fail('upstream-connect', 'Unreachable.'), ask(rule), runtime)
  }
  assert.equal(played(600, []).kind, 'respond')
  assert.equal(played(10, []).kind, 'fail')
  assert.equal(played(600, ['Cache-Control', 'must-revalidate']).kind, 'fail')
})

/** Kept answers, as if they had been stored so many seconds earlier; until what is returned. */
function aged(runtime: FakeRuntime, seconds: number): () => void {
  const { answers } = runtime.beside
  const find = answers.find.bind(answers)
  answers.find = (...asked) => {
    const found = find(...asked)
    return found === null ? null : { ...found, storedMs: found.storedMs - seconds * 1000 }
  }
  return () => {
    answers.find = find
  }
}

test('a request with a body is never answered from the store', () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  answer(ask(rule), runtime)
  const { exchange } = fakeExchange({ path: '/a', body: new FakeBody([Buffer.from('x')]) })
  exchange.rule = rule
  assert.equal(atOnce(lookUp(exchange, runtime)).kind, 'continue')
})

test('of those who ask for the same at once, one asks the backend', async () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  const first = ask(rule)
  assert.equal(atOnce(lookUp(first, runtime)).kind, 'continue')
  const others = [1, 2, 3].map(() => lookUp(ask(rule), runtime))
  for (const other of others) assert(other instanceof Promise)
  // Another caller waits for nobody, and neither does who wants a new one.
  assert.equal(seen(ask(rule, { headers: ['Cookie', 'a=1'] }), runtime), 'continue')
  assert.equal(seen(ask(rule, { headers: ['Cache-Control', 'no-cache'] }), runtime), 'continue')
  answer(first, runtime)
  for (const other of others) assert.equal(bodyOf(await other), 'made')
})

test('whoever waited for nothing asks the backend, and the next ones do not wait', async () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  const first = ask(rule)
  assert.equal(atOnce(lookUp(first, runtime)).kind, 'continue')
  const other = lookUp(ask(rule), runtime)
  answer(first, runtime, ['Set-Cookie', 'a=1'])
  assert.equal(bodyOf(await other), 'continue')
  assert.equal(seen(ask(rule), runtime), 'continue')
  assert.equal(seen(ask(rule), runtime), 'continue')
})

test('an answer that turns out too large is waited for no longer', async () => {
  const [rule, runtime, stream] = [cached(), new FakeRuntime(), new FakeStream()]
  const first = ask(rule)
  assert.equal(atOnce(lookUp(first, runtime)).kind, 'continue')
  const other = lookUp(ask(rule), runtime)
  const body = { kind: 'stream', stream } as const
  const made = { kind: 'respond', status: 200, headers: [], body, by: 'upstream' } as const
  const shown = stored(made, first, runtime)
  assert(shown.kind === 'respond' && shown.body.kind === 'stream')
  shown.body.stream.start({ data: () => 'more', end: () => undefined, fail: () => undefined })
  for (let i = 0; i < 17; i++) stream.push('x'.repeat(65_536))
  assert.equal(runtime.beside.flights.underway, 0)
  assert.equal(bodyOf(await other), 'continue')
})

test('an answer that was asked for before a change is not kept, nor waited for after it', async () => {
  const [rule, runtime] = [cached(), new FakeRuntime()]
  const before = ask(rule)
  assert.equal(atOnce(lookUp(before, runtime)).kind, 'continue')
  const waiting = lookUp(ask(rule), runtime)
  const done = { kind: 'respond', status: 201, headers: [], body: { kind: 'empty' } } as const
  stored({ ...done, by: 'upstream' }, ask(rule, { method: 'POST' }), runtime)
  assert.equal(seen(ask(rule), runtime), 'continue')
  answer(before, runtime, [], 'old')
  assert.equal(bodyOf(await waiting), 'continue')
  assert.equal(seen(ask(rule), runtime), 'continue')
})

test('an old answer is served while the backend is asked again, once, for a whole one', async () => {
  const [rule, runtime] = [proxied({ staleWhileRevalidateS: 30 }), new FakeRuntime()]
  answer(ask(rule), runtime, ['ETag', '"a"'], 'old')
  const asOfNow = aged(runtime, 70)
  assert.equal(seen(ask(rule, { headers: ['If-None-Match', '"a"'] }), runtime), '304')
  assert.equal(seen(ask(rule), runtime), 'old')
  const [sent, ...more] = runtime.upstream.sent
  assert(sent !== undefined && more.length === 0)
  assert.equal(headerValue(sent.headers, 'if-none-match'), null)
  assert.equal(runtime.beside.refreshes.inside, 1)
  const stream = new FakeStream()
  runtime.upstream.listener?.head({ status: 200, headers: [], stream })
  await until(() => stream.sink !== null)
  stream.push('new')
  stream.end()
  asOfNow()
  assert.equal(seen(ask(rule), runtime), 'new')
  assert.equal(runtime.beside.refreshes.inside, 0)
  assert.deepEqual(runtime.counted, ['cacheRefreshes', 'cacheServed', 'cacheServed', 'cacheServed'])
})

test('a refresh that fails, is too large or is not to be kept leaves nothing behind', async () => {
  const endings: readonly ((runtime: FakeRuntime, stream: FakeStream) => Promise<void>)[] = [
    async ({ upstream }) => upstream.listener?.failed(fail('upstream-connect', 'Unreachable.')),
    async ({ upstream }, stream) => {
      upstream.listener?.head({ status: 200, headers: ['Set-Cookie', 'a=1'], stream })
      await until(() => stream.sink !== null)
      stream.end()
    },
    async ({ upstream }, stream) => {
      upstream.listener?.head({ status: 200, headers: [], stream })
      await until(() => stream.sink !== null)
      for (let i = 0; i < 17; i++) stream.push('x'.repeat(65_536))
      assert.equal(stream.aborted, 1)
    },
  ]
  for (const end of endings) {
    const [rule, runtime] = [proxied({ staleWhileRevalidateS: 30 }), new FakeRuntime()]
    answer(ask(rule), runtime, [], 'old')
    aged(runtime, 70)
    assert.equal(seen(ask(rule), runtime), 'old')
    await end(runtime, new FakeStream())
    await until(() => runtime.beside.refreshes.inside === 0)
    assert.equal(runtime.beside.flights.underway, 0)
    assert.equal(seen(ask(rule), runtime), 'old')
  }
})

test('an answer that must not be old is never served old', () => {
  const [rule, runtime] = [proxied({ staleWhileRevalidateS: 30 }), new FakeRuntime()]
  answer(ask(rule), runtime, ['Cache-Control', 'must-revalidate'])
  aged(runtime, 70)
  assert.equal(seen(ask(rule), runtime), 'continue')
  assert.equal(runtime.upstream.sent.length, 0)
})

test('answers of different backends of a rule are told apart, and none is guessed', () => {
  const to = { kind: 'backend', backend: 'shop/beta:80' } as const
  const chosen: ('true' | 'false' | 'failed')[] = []
  const when = { source: 'c', test: () => chosen[0] ?? 'false', evaluate: () => null } as const
  const single = { kind: 'backend', backend: 'shop/books:80' } as const
  const action = { kind: 'proxy', conditional: [{ when, to }], single, weighted: [] } as const
  const rule = { ...cached({ audience: 'shared' }), action }
  const runtime = new FakeRuntime()
  chosen[0] = 'true'
  answer(ask(rule), runtime, [], 'beta')
  assert.equal(seen(ask(rule), runtime), 'beta')
  for (const other of ['false', 'failed'] as const) {
    chosen[0] = other
    assert.equal(seen(ask(rule), runtime), 'continue')
  }
})

/** With a backend, which a refresh asks. */
function proxied(some: Partial<Cache>): PreparedRule {
  const single = { kind: 'backend', backend: 'shop/books:80' } as const
  return { ...cached(some), action: { kind: 'proxy', conditional: null, single, weighted: [] } }
}

/** Microtasks decide: a handful of turns is enough, or it never happens. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 20 && !holds(); i++) await Promise.resolve()
  assert(holds())
}
