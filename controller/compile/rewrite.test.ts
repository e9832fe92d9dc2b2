/**
 * Rewritten paths and what they may use.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RewriteSpec, RouteMatch } from '../../crds/api-route.ts'
import type { Captures } from './match.ts'
import { FieldPath } from './problem.ts'
import { compileRewrite } from './rewrite.ts'

const AT = new FieldPath<RewriteSpec>('spec.rules[0].rewrite')

function captures(position: number, params: string[], rest: Captures['rest']): Captures {
  const at = new FieldPath<RouteMatch>(`spec.rules[0].match[${position}]`)
  return { at, params: new Set(params), rest }
}

const BELOW = captures(0, ['id'], 'captured')
const EXACT = captures(1, ['order'], 'absent')

test('a rewrite takes what every match captures', () => {
  const { value, problems } = compileRewrite({ path: '/v2/{id}/**', host: 'a.internal' }, AT, [
    BELOW,
    BELOW,
  ])
  assert.deepEqual(problems, [])
  assert.deepEqual(value, {
    path: [{ literal: '/v2/' }, { param: 'id' }, { literal: '/' }, { rest: true }],
    host: 'a.internal',
  })
})

test('a host alone keeps the path', () => {
  const { value } = compileRewrite({ host: 'a.internal' }, AT, [EXACT])
  assert.deepEqual(value, { path: null, host: 'a.internal' })
})

test('what one match does not capture cannot be used', () => {
  const rest = compileRewrite({ path: '/v2/**' }, AT, [BELOW, EXACT])
  assert.equal(rest.value.path, null)
  assert.match(rest.problems[0]?.sentence ?? '', /spec\.rules\[0\]\.match\[1\] has none; end its/)
  const param = compileRewrite({ path: '/v2/{id}' }, AT, [BELOW, EXACT])
  assert.match(param.problems[0]?.sentence ?? '', /"\{id\}" is not captured by .*match\[1\]/)
  assert.equal(param.problems[0]?.path, 'spec.rules[0].rewrite.path')
})

test('a slip in a name is answered with the name that was meant', () => {
  const { problems } = compileRewrite({ path: '/v2/{oder}' }, AT, [EXACT])
  assert.match(problems[0]?.sentence ?? '', /did you mean order\?/)
})

test('a path that is not canonical is refused', () => {
  assert.equal(compileRewrite({ path: '/a//b' }, AT, [BELOW]).problems.length, 1)
})
