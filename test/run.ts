/**
 * Runs the tests with node's own runner: those beside the sources first, then what crosses folders.
 * `--unit` leaves out everything below test/. The runner's summary ends the output.
 *
 * Files with a failure are run once more, alone: the whole suite fills every core, and some tests
 * hold processes to what a person would wait for. What fails then has failed; what passes then is
 * named, because a test that needs a quiet machine is a weakness to be mended.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'

// One test may wait for an API server to start; none takes longer than this when all is well.
const TEST_TIMEOUT_MS = 600_000

interface Ended {
  readonly code: number
  /** Files in which something failed. */
  readonly failed: readonly string[]
}

function run(files: readonly string[], concurrency: number): Promise<Ended> {
  const args = [
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    '--test-reporter=spec',
    ...files,
  ]
  const child = spawn(process.execPath, args, { stdio: ['inherit', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
    process.stdout.write(chunk)
  })
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      const named = [...text.matchAll(/^test at (\S+?\.test\.ts):\d+:\d+$/gm)]
      const failed = [...new Set(named.map((match) => match[1] ?? ''))]
      resolve({ code: signal === null ? (code ?? 1) : 1, failed })
    })
  })
}

async function main(): Promise<number> {
  const patterns = ['crds/**/*.test.ts', 'controller/**/*.test.ts', 'dataplane/**/*.test.ts']
  if (!process.argv.includes('--unit')) patterns.push('test/**/*.test.ts')
  const files = patterns.flatMap((pattern) => globSync(pattern)).toSorted()
  const first = await run(files, Math.max(2, availableParallelism()))
  const known = first.failed.filter((file) => files.includes(file))
  if (first.code === 0 || known.length === 0) return first.code
  process.stdout.write(`\nonce more, alone: ${known.join(' ')}\n\n`)
  const second = await run(known, 1)
  if (second.code === 0) {
    process.stdout.write(`\nneeded a quiet machine: ${known.join(' ')}\n`)
  }
  return second.code
}

process.exitCode = await main()
