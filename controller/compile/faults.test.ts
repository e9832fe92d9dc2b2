/**
 * Faults of rules.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FaultsSpec } from '../../crds/traffic.ts'
import { compileFaults, shareOf } from './faults.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<FaultsSpec>('faults')

test('a share is counted in thousandths of a percent', () => {
  const shares = [
    ['0%', 0],
    ['0.001%', 1],
    ['0.1%', 100],
    ['1.155%', 1_155],
    ['5%', 5_000],
    ['100%', 100_000],
  ] as const
  for (const [text, share] of shares) assert.equal(shareOf(text), share, text)
})

test('what is not asked for is null, and a wait that no timer holds is refused', () => {
  const abort = { share: '1%', status: 503 }
  assert.deepEqual(compileFaults({ abort }, AT), {
    value: { delay: null, abort: { share: 1_000, status: 503 } },
    problems: [],
  })
  const { problems } = compileFaults({ delay: { share: '1%', for: '99999h' } }, AT)
  assert.equal(problems[0]?.path, 'faults.delay.for')
})
