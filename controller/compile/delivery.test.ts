/**
 * Proves what becomes of timeouts, retry and hedge of a rule.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteRule } from '../../crds/api-route.ts'
import { compileDelivery } from './delivery.ts'
import { FieldPath } from './problem.ts'

function compile(rule: Partial<RouteRule>): ReturnType<typeof compileDelivery> {
  const at = new FieldPath<RouteRule>('spec.rules[0]')
  return compileDelivery({ name: 'a', match: [{ path: '/' }], ...rule }, at)
}

const paths = ({ problems }: ReturnType<typeof compileDelivery>): string[] =>
  problems.map(({ path }) => path)

test('what a rule does not state is left to the defaults', () => {
  assert.deepEqual(compile({}), { value: null, problems: [] })
  assert.equal(compile({ timeouts: { total: '2s' } }).value, null)
  assert.deepEqual(compile({ timeouts: { idle: '1m' } }).value, { idleMs: 60_000 })
  assert.deepEqual(compile({ retry: { attempts: 2 } }).value?.retry, {
    attempts: 2,
    causes: ['connect'],
    statuses: [],
    methods: ['GET', 'HEAD', 'OPTIONS'],
    perTryMs: null,
    backoff: { baseMs: 25, maxMs: 250 },
    budgetPerMille: 200,
  })
})

test('what a rule states is what the data plane gets', () => {
  const { value, problems } = compile({
    timeouts: { total: '2s', firstByte: '1s', connect: '500ms', idle: '30s' },
    retry: { attempts: 3, perTry: '800ms', backoff: { base: '1s' }, budget: '0.1%' },
    hedge: { after: '200ms' },
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    connectMs: 500,
    firstByteMs: 1_000,
    idleMs: 30_000,
    retry: {
      attempts: 3,
      causes: ['connect'],
      statuses: [],
      methods: ['GET', 'HEAD', 'OPTIONS'],
      perTryMs: 800,
      backoff: { baseMs: 1_000, maxMs: 1_000 },
      budgetPerMille: 1,
    },
    hedge: { afterMs: 200 },
  })
})

test('times that make no sense are told where they stand', () => {
  const rule = {
    timeouts: { connect: '0s', firstByte: '99999h' },
    retry: { attempts: 2, perTry: '0s', backoff: { base: '2s', max: '1s' } },
    hedge: { after: '99999h' },
  } as const
  assert.deepEqual(paths(compile(rule)), [
    'spec.rules[0].timeouts.connect',
    'spec.rules[0].timeouts.firstByte',
    'spec.rules[0].retry.perTry',
    'spec.rules[0].retry.backoff.max',
    'spec.rules[0].hedge.after',
  ])
})
