/**
 * Proves the clock that all threads share.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { monotonicMs } from './clock.ts'

const SCRIPT = `
  import { parentPort } from 'node:worker_threads'
  import { monotonicMs } from '${new URL('./clock.ts', import.meta.url).href}'
  parentPort.on('message', () => parentPort.postMessage(monotonicMs()))
`

test('two threads read the same time', async (t) => {
  const url = new URL(`data:text/javascript,${encodeURIComponent(SCRIPT)}`)
  const worker = new Worker(url)
  t.after(() => worker.terminate())
  for (let i = 0; i < 20; i++) {
    const before = monotonicMs()
    const there = await new Promise<number>((resolve) => {
      worker.once('message', resolve)
      worker.postMessage('now')
    })
    const after = monotonicMs()
    assert.ok(before - 0.1 <= there && there <= after + 0.1, `${before} ${there} ${after}`)
  }
})

test('it never goes back', () => {
  let last = monotonicMs()
  for (let i = 0; i < 10_000; i++) {
    const now = monotonicMs()
    assert.ok(now >= last)
    last = now
  }
})
