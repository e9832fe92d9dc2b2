/**
 * Actions made ready.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Action, WeightedBackend } from '#wire/table'
import type { BackendTarget } from '#wire/value'
import {
  builtTable,
  GATEWAY,
  hostObject,
  ruleAt,
  tableObject,
  tableRule,
} from '../../test/fake/table.ts'
import type { PreparedAction } from './runtime.ts'

function action(of: Action): PreparedAction {
  const backends = ['a', 'b'].map((key) =>
    tableObject('backend', key, { protocol: 'http', clusterAddress: null }),
  )
  const rule = tableObject('rule', 'r', tableRule({ action: of }))
  const found = ruleAt(builtTable([GATEWAY, ...backends, rule, hostObject('*', ['r'])]), '/')
  assert(typeof found !== 'string')
  return found.action
}

function to(backend: string, weight: number, when: string | null = null): WeightedBackend {
  return { when, weight, to: { kind: 'backend', backend } }
}

const BROKEN: BackendTarget = {
  kind: 'reject',
  status: 500,
  cause: 'backend-invalid',
  because: 'No Service "x" has port 80.',
}

test('weights become shares, and what is unusable keeps its own', () => {
  const made = action({
    kind: 'proxy',
    backends: [to('a', 9), { when: null, weight: 3, to: BROKEN }, to('b', 0), to('b', 1)],
  })
  assert(made.kind === 'proxy')
  assert.equal(made.single, null)
  assert.equal(made.conditional, null)
  assert.deepEqual(made.weighted, [
    { upTo: 9, to: { kind: 'backend', backend: 'a' } },
    { upTo: 12, to: BROKEN },
    { upTo: 13, to: { kind: 'backend', backend: 'b' } },
  ])
})

test('where there is no choice, nothing is drawn', () => {
  const made = action({ kind: 'proxy', backends: [to('a', 1), to('b', 0)] })
  assert(made.kind === 'proxy')
  assert.deepEqual(made.single, { kind: 'backend', backend: 'a' })
})

test('backends with a condition come before shares, in their order', () => {
  const made = action({
    kind: 'proxy',
    backends: [to('a', 1, 'request.path == "/x"'), to('b', 1), to('b', 1, 'true')],
  })
  assert(made.kind === 'proxy')
  assert.deepEqual(
    made.conditional?.map(({ when }) => when.source),
    ['request.path == "/x"', 'true'],
  )
  assert.equal(made.weighted.length, 1)
})

test('a backend that is not in the table fails its share, visibly', () => {
  const made = action({ kind: 'proxy', backends: [to('a', 1), to('gone', 1)] })
  assert(made.kind === 'proxy')
  const target = made.weighted[1]?.to
  assert(target?.kind === 'reject')
  assert.equal(target.cause, 'backend-invalid')
})

test('a fixed body without expressions is made once', () => {
  const made = action({ kind: 'respond', status: 200, headers: [], body: ['caf', '\u00e9'] })
  assert(made.kind === 'respond' && Buffer.isBuffer(made.body))
  assert.equal(made.body.toString('utf8'), 'caf\u00e9')
})
