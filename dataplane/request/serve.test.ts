/**
 * The walk as a whole: whatever phases say, throw or never say, and whenever the client leaves, an
 * exchange ends in one record and one end.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fakeExchange, type FakeExchange } from '../../test/fake/exchange.ts'
import { fakeRule } from '../../test/fake/rule.ts'
import { FakeRuntime, FakeStream } from '../../test/fake/runtime.ts'
import { fail } from './failure.ts'
import { CONTINUE, type Outcome, type Respond } from './outcome.ts'
import { PHASES, serve } from './serve.ts'
import { Later } from './later.ts'
import type { Phase, Soon } from './walk.ts'

const bytes: Respond = {
  kind: 'respond',
  status: 200,
  headers: [],
  body: { kind: 'bytes', bytes: Buffer.from('body') },
  by: 'gateway',
}

type Step =
  | 'continue'
  | 'continue later'
  | 'answer'
  | 'answer later'
  | 'stream'
  | 'stream later'
  | 'fail'
  | 'fail later'
  | 'throw'
  | 'reject'
  | 'client leaves'
  | 'stream told'
  | 'fail told'

const STEPS: readonly Step[] = [
  ...(['continue', 'continue later', 'answer', 'answer later', 'stream', 'stream later'] as const),
  ...(['fail', 'fail later', 'throw', 'reject', 'client leaves'] as const),
  ...(['stream told', 'fail told'] as const),
]

/** What a stream does once it was attached, one event per turn. */
type Event =
  | 'chunk'
  | 'end'
  | 'fail'
  | 'client leaves'
  | 'client is full'
  | 'client drains'
  | 'throw'
const EVENTS: readonly Event[] = [
  ...([
    'chunk',
    'chunk',
    'end',
    'fail',
    'client leaves',
    'client is full',
    'client drains',
  ] as const),
  'throw',
]

function phaseOf(step: Step, stream: FakeStream, answer: FakeExchange['answer']): Phase {
  const streamed: Respond = { ...bytes, by: 'upstream', body: { kind: 'stream', stream } }
  const outcomes: { readonly [K in Step]: () => Soon<Outcome> } = {
    continue: () => CONTINUE,
    'continue later': () => Promise.resolve(CONTINUE),
    answer: () => bytes,
    'answer later': () => Promise.resolve(bytes),
    stream: () => streamed,
    'stream later': () => Promise.resolve(streamed),
    fail: () => fail('forbidden', 'No.'),
    'fail later': () => Promise.resolve(fail('upstream-timeout', 'Too late.')),
    'stream told': () => told(streamed),
    'fail told': () => told(fail('upstream-timeout', 'Too late.')),
    throw: () => {
      throw new Error('thrown')
    },
    reject: () => Promise.reject(new Error('rejected')),
    'client leaves': () => {
      answer.leave()
      return CONTINUE
    },
  }
  return outcomes[step]
}

/** As backends answer: in a later call, and at once then. */
function told(outcome: Outcome): Later<Outcome> {
  const later = new Later<Outcome>()
  queueMicrotask(() => later.settle(outcome))
  return later
}

function happen(event: Event, stream: FakeStream, answer: FakeExchange['answer']): void {
  const happenings: { readonly [K in Event]: () => unknown } = {
    chunk: () => stream.push('chunk'),
    end: () => stream.end(),
    fail: () => stream.fail(fail('upstream-reset', 'Reset.')),
    'client leaves': () => answer.leave(),
    'client is full': () => (answer.room = 0),
    'client drains': () => answer.drain(),
    throw: () => {
      answer.data = () => {
        throw new Error('a broken answer')
      }
    },
  }
  happenings[event]()
}

interface Scene {
  readonly steps: readonly Step[]
  readonly events: readonly Event[]
  readonly declared: number | null
  readonly method: 'GET' | 'HEAD'
  readonly held: readonly number[]
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 6 }),
  events: fc.array(fc.constantFrom(...EVENTS), { maxLength: 8 }),
  declared: fc.constantFrom(null, 0, 5, 10, 100),
  method: fc.constantFrom<'GET' | 'HEAD'>('GET', 'HEAD'),
  held: fc.constantFrom<readonly number[]>([], [7]),
})

/** Serves it to its end, however that comes about. */
async function play(scene: Scene, runtime: FakeRuntime): Promise<FakeExchange['answer']> {
  const { exchange, answer } = fakeExchange({ method: scene.method })
  exchange.taken = { standings: [], held: scene.held, observed: [] }
  const stream = new FakeStream(scene.declared)
  const phases = scene.steps.map((step) => phaseOf(step, stream, answer))
  const served = serve(exchange, runtime, phases)
  for (const event of scene.events) {
    await Promise.resolve()
    happen(event, stream, answer)
  }
  while (exchange.decision === null) await Promise.resolve()
  for (let turns = 0; turns < 20 && stream.sink === null; turns++) await Promise.resolve()
  stream.fail(fail('upstream-reset', 'The test is over.'))
  await served
  return answer
}

test('every exchange ends in exactly one record, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const runtime = new FakeRuntime()
      const answer = await play(scene, runtime)
      const [record] = runtime.records
      assert(record !== undefined && runtime.records.length === 1)
      assert.deepEqual(runtime.limiter.released, scene.held)
      assert.equal(answer.state === 'whole', record.complete)
      assert.notEqual(record.status, 0)
      if (!record.complete) assert.notEqual(record.cause, null)
    }),
    { numRuns: 3_000 },
  )
})

test('a bug is reported exactly where there was one', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const thrown = [...scene.steps, ...scene.events].some((one) => /throw|reject/.test(one))
      const runtime = new FakeRuntime()
      await play({ ...scene, steps: [...scene.steps, 'answer'] }, runtime)
      if (!thrown) assert.deepEqual(runtime.bugs, [])
    }),
    { numRuns: 1_000 },
  )
})

test('a request that waits for nothing is answered without a promise', () => {
  const runtime = new FakeRuntime()
  const { exchange, answer } = fakeExchange()
  runtime.table = {
    ...runtime.table,
    matcher: {
      match: (found) => {
        found.rule = fakeRule()
        return null
      },
    },
  }
  assert.equal(serve(exchange, runtime), undefined)
  assert.equal(answer.status, 204)
  assert.equal(answer.state, 'whole')
  assert.equal(runtime.records[0]?.rule, 'shop/books/list')
})

test('what the front has refused is answered and recorded, and no phase runs', () => {
  const runtime = new FakeRuntime()
  const refusal = fail('bad-path', 'An empty segment is allowed only at the end of the path.')
  const { exchange, answer } = fakeExchange({ refusal })
  const phase: Phase = () => {
    throw new Error('it ran')
  }
  void serve(exchange, runtime, [phase])
  assert.equal(answer.status, 400)
  assert.equal(answer.header('x-fairlead-cause'), 'bad-path')
  assert.equal(runtime.records[0]?.cause, 'bad-path')
  assert.deepEqual(runtime.bugs, [])
})

test('a phase that throws is our fault, and the client learns no more than that', () => {
  const runtime = new FakeRuntime()
  const { exchange, answer } = fakeExchange()
  void serve(exchange, runtime, [
    () => {
      throw new Error('secret of /etc/passwd')
    },
  ])
  assert.equal(answer.status, 500)
  assert.equal(answer.header('x-fairlead-cause'), 'bug')
  assert.doesNotMatch(answer.body, /secret|passwd/)
  assert.equal(runtime.bugs.length, 1)
})

test('the phases stand in the order of the design', () => {
  assert.deepEqual(
    PHASES.map(({ name }) => name),
    [
      'transport',
      'match',
      'addresses',
      'preflight',
      'boundBody',
      'admitBeforeAuth',
      'authenticate',
      'admit',
      'injectFaults',
      'rewrite',
      'lookUp',
      'forward',
    ],
  )
})
