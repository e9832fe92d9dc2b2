/**
 * Fixed answers and redirects.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RedirectSpec, RespondSpec, RouteMatch } from '../../crds/api-route.ts'
import { compileRedirect, compileRespond, loops } from './answer.ts'
import type { Captures } from './match.ts'
import { FieldPath } from './problem.ts'

const RESPOND = new FieldPath<RespondSpec>('spec.rules[0].respond')
const REDIRECT = new FieldPath<RedirectSpec>('spec.rules[0].redirect')
const BELOW: Captures = {
  at: new FieldPath<RouteMatch>('spec.rules[0].match[0]'),
  params: new Set(['id']),
  rest: 'captured',
}

function respond(spec: RespondSpec): ReturnType<typeof compileRespond> {
  return compileRespond(spec, RESPOND, { place: 'policy' })
}

test('a fixed answer keeps its status, its headers and its body', () => {
  const { value, problems } = respond({
    status: 200,
    headers: [{ name: 'Content-Type', value: 'text/plain' }],
    body: 'pong ${request.params.id}',
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    kind: 'respond',
    status: 200,
    headers: [{ name: 'content-type', value: ['text/plain'], onFailure: 'remove' }],
    body: ['pong ', { expr: 'request.params.id' }],
  })
  assert.equal(respond({ status: 204 }).value.body, null)
  assert.equal(respond({ status: 200, body: '' }).value.body, null)
})

test('a status without a body gets none', () => {
  for (const status of [204, 205, 304]) {
    assert.match(respond({ status, body: 'x' }).problems[0]?.sentence ?? '', /has no body/)
  }
})

test('a fixed body is bounded in bytes', () => {
  assert.deepEqual(respond({ status: 200, body: 'é'.repeat(32_768) }).problems, [])
  const { value, problems } = respond({ status: 200, body: 'é'.repeat(32_769) })
  assert.equal(value.body, null)
  assert.equal(problems[0]?.path, 'spec.rules[0].respond.body')
})

test('a redirect changes what it says and keeps the rest', () => {
  const { value, problems } = compileRedirect({ status: 308, path: '/v1/**' }, REDIRECT, [BELOW])
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    kind: 'redirect',
    status: 308,
    scheme: null,
    host: null,
    port: null,
    path: [{ literal: '/v1/' }, { rest: true }],
  })
  const https = compileRedirect({ scheme: 'https', host: 'a.b', port: 8443 }, REDIRECT, [])
  assert.equal(https.value.status, 302)
  assert.equal(https.value.path, null)
})

test('a redirect to a path that its own rule takes is refused', () => {
  const paths = (match: RouteMatch, spec: RedirectSpec): unknown =>
    loops(spec, [match], REDIRECT).map(({ path }) => path)
  const wrong = ['spec.rules[0].redirect.path']
  assert.deepEqual(paths({ path: '/a' }, { path: '/a' }), wrong)
  assert.deepEqual(paths({ path: '/a/**' }, { path: '/a/**', status: 308 }), wrong)
  assert.deepEqual(paths({ path: '/a' }, { path: '/b' }), [])
  assert.deepEqual(paths({ path: '/a' }, { path: '/a', scheme: 'https' }), [])
  assert.deepEqual(paths({ path: '/a', method: 'POST' }, { path: '/a', status: 303 }), [])
  assert.deepEqual(paths({ path: '/a', when: 'request.query.old == "1"' }, { path: '/a' }), [])
})

test('a redirect to itself, with another status or a path that nothing captures is refused', () => {
  assert.equal(compileRedirect({}, REDIRECT, []).problems.length, 1)
  assert.equal(compileRedirect({ status: 304, path: '/a' }, REDIRECT, []).problems.length, 1)
  const lost = compileRedirect({ path: '/{no}' }, REDIRECT, [BELOW])
  assert.equal(lost.problems[0]?.path, 'spec.rules[0].redirect.path')
})
