/**
 * Runs the tests with node's own runner: those beside the sources first, then what crosses folders.
 * `--unit` leaves out everything below test/. The runner's summary ends the output.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const unitOnly = process.argv.includes('--unit')
const patterns = ['crds/**/*.test.ts', 'controller/**/*.test.ts', 'dataplane/**/*.test.ts']
if (!unitOnly) patterns.push('test/**/*.test.ts')
const files = patterns.flatMap((pattern) => globSync(pattern)).toSorted()

// One test may wait for an API server to start; none takes longer than this when all is well.
const TEST_TIMEOUT_MS = 600_000
const args = [
  '--test',
  `--test-concurrency=${Math.max(2, availableParallelism())}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  '--test-reporter=spec',
  ...files,
]
const child = spawn(process.execPath, args, { stdio: 'inherit' })
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1
})
