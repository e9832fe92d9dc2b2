/**
 * Proves that a worker that ends, in whatever way, is replaced, and what its clients see of it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixed, get, ruleOf, snapshotOf, startThreads } from './fake/plane.ts'
import { load, tempt, UNRULY } from './fake/unruly.ts'
import { until } from './upstream/fake/recorder.ts'

test('a worker that dies is replaced and brought to the current table', async (t) => {
  const { threads, port, metrics } = await startThreads(t, 2, { script: UNRULY })
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('one'))]))
  for (let i = 0; i < 4; i++) assert.equal((await get(port, '/a')).body, 'one')
  for (const what of ['exit', 'grow'] as const) {
    const [victim] = threads.threads
    const diedMs = performance.now()
    misbehave({ worker: victim?.id ?? 0, what })
    await until(`gone: ${what}`, () => victim?.state === 'gone', 30_000)
    const goneMs = performance.now()
    await until('replaced', () => threads.facts.workersReady === 2, 20_000)
    const tookMs = performance.now() - (what === 'exit' ? diedMs : goneMs)
    t.diagnostic(`${what}: ${Math.round(tookMs)} ms until it served again`)
    for (let i = 0; i < 8; i++) assert.equal((await get(port, '/a')).body, 'one')
  }
  const { text } = await metrics.render()
  assert.match(text, /fairlead_requests_total\{[^}]*rule="a"[^}]*\} 20\n/)
  assert.match(text, /fairlead_worker_restarts 2/)
})

test('a worker that has met a bug is replaced without refusing anybody', async (t) => {
  const { threads, port, log } = await startThreads(t, 1, { script: UNRULY })
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('one'))]))
  const stop = load(t, port, '/a')
  for (const what of ['throw', 'reject'] as const) {
    const [before] = threads.threads
    misbehave({ worker: before?.id ?? 0, what })
    await until('another one serves', () => threads.threads[0] !== before)
    await until('it is ready', () => threads.facts.workersReady === 1, 20_000)
  }
  const seen = await stop()
  assert.deepEqual([...seen.keys()], ['200 one'])
  assert.ok(log.said.some(({ message }) => message === 'a worker met a bug: it is replaced'))
})

test('where two cannot listen at once, a worker is replaced all the same', async (t) => {
  const { threads, port } = await startThreads(t, 1, { script: UNRULY }, 'alone')
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('one'))]))
  const [before] = threads.threads
  misbehave({ worker: before?.id ?? 0, what: 'throw' })
  await until('another one serves', () => {
    const [now] = threads.threads
    return now !== before && now?.state === 'serving'
  })
  assert.equal((await get(port, '/a')).body, 'one')
})

test('a worker that hangs is ended and replaced', async (t) => {
  const { threads, port } = await startThreads(t, 1, { script: UNRULY })
  const misbehave = tempt(t)
  await threads.swap(snapshotOf('1', [ruleOf('a', '/a', fixed('one'))]))
  const [victim] = threads.threads
  misbehave({ worker: victim?.id ?? 0, what: 'hang' })
  await until('it is ended', () => victim?.state === 'gone', 10_000)
  await until('replaced', () => threads.facts.workersReady === 1, 20_000)
  assert.equal((await get(port, '/a')).body, 'one')
})
