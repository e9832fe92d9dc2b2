/**
 * Proves the supervisor with real processes.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { supervise, threadPoolSize } from './supervisor.ts'
import { until } from './upstream/fake/recorder.ts'

const CHILD = new URL('./fake/child.ts', import.meta.url).pathname

interface Supervised {
  readonly code: Promise<number>
  readonly reasons: string[]
  readonly pids: () => number[]
}

function start(t: TestContext, mode: string): Supervised {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-'))
  const file = join(folder, 'starts')
  t.after(() => rmSync(folder, { recursive: true }))
  const reasons: string[] = []
  const code = supervise({
    command: [CHILD, file, mode],
    env: process.env,
    workers: 3,
    codeCache: null,
    restarted: (because) => void reasons.push(because),
  })
  const pids = (): number[] => {
    try {
      const lines = readFileSync(file, 'utf8').trim().split('\n')
      assert.ok(lines.every((line) => line.endsWith(` ${threadPoolSize(3)}`)))
      return lines.map((line) => Number(line.split(' ')[0]))
    } catch {
      return []
    }
  }
  return { code, reasons, pids }
}

/** As the kernel would: the supervisor is this process. */
function askToStop(): void {
  process.emit('SIGTERM', 'SIGTERM')
}

test('a data plane that was killed serves again within a second', async (t) => {
  const { code, reasons, pids } = start(t, 'wait')
  await until('it has started', () => pids().length === 1)
  for (let i = 1; i <= 2; i++) {
    const killedMs = performance.now()
    process.kill(pids().at(-1) ?? 0, 'SIGKILL')
    await until('it has started again', () => pids().length === i + 1)
    assert.ok(performance.now() - killedMs < 2_000)
  }
  assert.deepEqual(reasons, ['it was ended by SIGKILL', 'it was ended by SIGKILL'])
  askToStop()
  assert.equal(await code, 0)
})

test('one that ends at once is started again until it stays', async (t) => {
  const { code, reasons, pids } = start(t, 'crashTwice')
  await until('it stays', () => pids().length === 3)
  assert.equal(reasons.length, 2)
  askToStop()
  assert.equal(await code, 0)
})

test('a mistake in its arguments is not tried again', async (t) => {
  const { code, pids } = start(t, 'usage')
  assert.equal(await code, 2)
  assert.equal(pids().length, 1)
})

test('asked to stop, it ends with the code of the data plane', async (t) => {
  const { code, pids } = start(t, 'stubborn')
  await until('it has started', () => pids().length === 1)
  askToStop()
  assert.equal(await code, 7)
  assert.equal(process.listenerCount('SIGTERM'), 0)
})
