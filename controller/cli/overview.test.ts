/**
 * Promises of overview.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '../compile/compiled.ts'
import {
  change,
  fileTroubles,
  heading,
  routeTable,
  type Shown,
  troubles,
  tryLines,
} from './overview.ts'

const time = { observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' }

function shown(name: string, problems: Verdict['problems'] = []): Shown {
  const broken = problems.length > 0
  const accepted = broken
    ? ({ status: 'False', reason: 'Invalid', message: 'No.' } as const)
    : ({ status: 'True', reason: 'Accepted', message: 'Yes.' } as const)
  return {
    verdict: {
      kind: 'ApiRoute',
      namespace: 'shop',
      name,
      uid: name,
      generation: 1,
      resourceVersion: '1',
      accepted,
      problems,
      targets: [],
      runs: broken ? 'nothing' : 'current',
    },
    status: {
      observedGeneration: 1,
      problems: [],
      conditions: [{ type: 'Accepted', ...accepted, ...time }],
    },
    locate: (path) => `shop.yaml:7:${path.length}`,
  }
}

const problem = {
  path: 'spec.rules[0]',
  reason: 'Invalid',
  sentence: 'Say what to do.',
  severity: 'failure',
} as const

test('every problem is shown at its file, line and column', () => {
  const text = troubles([shown('good'), shown('bad', [problem])], 'plain')
  assert.equal(
    text,
    'ApiRoute shop/bad: Accepted=False (Invalid)\n  Invalid shop.yaml:7:13 spec.rules[0]\n    Say what to do.\n',
  )
  assert.equal(change(shown('bad', [problem]), 'plain'), text)
  assert.match(
    fileTroubles([{ file: 'a.yaml', line: 1, column: 2, sentence: 'Torn.' }], 'plain'),
    /^a\.yaml:1:2 Torn/,
  )
})

test('routes are listed with their conditions, and an empty folder says so', () => {
  assert.equal(
    routeTable([shown('b'), shown('a')], 'plain'),
    '  ROUTE   CONDITIONS\n  shop/a  Accepted\n  shop/b  Accepted\n',
  )
  assert.match(routeTable([], 'plain'), /No ApiRoute/)
})

test('colours appear only where they are asked for', () => {
  const served = { folder: 'x', http: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:2' }
  assert.ok(!heading(served, 'plain').includes('\u001B'))
  assert.ok(heading(served, 'colours').includes('\u001B'))
})

test('lines to try hold the address and the key; what is unknown stays as it is', () => {
  const facts = { url: 'http://127.0.0.1:1', 'key/shop/acme': 'fl_x' }
  assert.equal(
    tryLines('curl -H "x-api-key: {key/shop/acme}" {url}/a?b={c}', facts),
    'curl -H "x-api-key: fl_x" http://127.0.0.1:1/a?b={c}',
  )
})
