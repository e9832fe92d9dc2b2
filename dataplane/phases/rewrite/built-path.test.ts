/**
 * Paths built from captures.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { canonicalPath } from '#wire/path'
import type { PathRewrite } from '#wire/table'
import { fakeExchange } from '../../../test/fake/exchange.ts'
import { builtPath } from './built-path.ts'

interface Captured {
  readonly params?: Record<string, string>
  readonly rest?: string | null
}

function build(parts: PathRewrite, { params = {}, rest = null }: Captured): string {
  const { exchange } = fakeExchange()
  exchange.params = params
  exchange.rest = rest
  const built = builtPath(parts, exchange)
  return built.kind === 'path' ? built.path : built.cause
}

test('what stands below a prefix moves below another one', () => {
  const parts: PathRewrite = [{ literal: '/v2/' }, { rest: true }]
  assert.equal(build(parts, { rest: null }), '/v2')
  assert.equal(build(parts, { rest: '' }), '/v2/')
  assert.equal(build(parts, { rest: 'a/b%3F' }), '/v2/a/b%3F')
  assert.equal(build([{ literal: '/' }, { rest: true }], { rest: null }), '/')
  assert.equal(build([{ literal: '/v2' }, { rest: true }], { rest: 'a' }), '/v2/a')
})

test('a param is one segment again, whatever it holds', () => {
  const parts: PathRewrite = [{ literal: '/orders-' }, { param: 'id' }, { literal: '/lines' }]
  assert.equal(build(parts, { params: { id: '42' } }), '/orders-42/lines')
  assert.equal(
    build(parts, { params: { id: 'a?b#c d\u00e9' } }),
    '/orders-a%3Fb%23c%20d%C3%A9/lines',
  )
})

test('the group of a pattern may hold several segments', () => {
  assert.equal(build([{ literal: '/v/' }, { param: 'all' }], { params: { all: 'a/b' } }), '/v/a/b')
})

test('what cannot be a path is refused', () => {
  const parts: PathRewrite = [{ literal: '/v/' }, { param: 'x' }, { literal: '/end' }]
  for (const x of ['', '.', '..', '../..', 'a/../../b', 'a//b', 'a;b', 'a\\b', 'a%41', 'x.', ' ']) {
    assert.equal(build(parts, { params: { x } }), 'rewrite-invalid', x)
  }
})

test('a built path is canonical and never leaves its literal start', () => {
  const value = fc
    .array(fc.constantFrom('a', '.', '..', '/', '%', '%2F', ';', '\\', '\u0000', '\u00e9', ' '))
    .map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(value, value, (x, y) => {
      const parts: PathRewrite = [
        { literal: '/safe/' },
        { param: 'x' },
        { literal: '-' },
        { param: 'y' },
      ]
      const path = build(parts, { params: { x, y } })
      if (path === 'rewrite-invalid') return
      assert.ok(path.startsWith('/safe/'), path)
      assert.deepEqual(canonicalPath(path), { kind: 'path', path })
    }),
    { numRuns: 5_000 },
  )
})
