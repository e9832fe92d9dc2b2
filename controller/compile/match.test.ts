/**
 * Matches of rules: what they become, and how they stay narrow when broken.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteMatch } from '../../crds/api-route.ts'
import { compileMatch } from './match.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<RouteMatch>('spec.rules[0].match[0]')

function compile(spec: RouteMatch): ReturnType<typeof compileMatch> {
  return compileMatch(spec, AT, { place: 'match' })
}

function compiled(spec: RouteMatch): NonNullable<ReturnType<typeof compileMatch>['value']> {
  const { value, problems } = compile(spec)
  assert.deepEqual(problems, [])
  assert.ok(value !== null)
  return value
}

test('a match without a path takes any path, and without a method any method', () => {
  const { match, captures } = compiled({})
  assert.deepEqual(match, {
    method: null,
    path: { kind: 'any' },
    headers: [],
    queryParams: [],
    when: null,
  })
  assert.equal(captures.rest, 'absent')
})

test('header names are compared in lower case, query names as they are', () => {
  const { match } = compiled({
    method: 'GET',
    path: '/search',
    headers: [
      { name: 'X-Channel', exact: 'beta' },
      { name: 'x-a', present: true },
    ],
    queryParams: [
      { name: 'Ver', prefix: '2' },
      { name: 'v', regex: 'v[0-9]+' },
    ],
    when: 'inCidr(request.ip, "10.0.0.0/8")',
  })
  assert.deepEqual(match.headers, [
    { name: 'x-channel', test: { kind: 'exact', value: 'beta' } },
    { name: 'x-a', test: { kind: 'present' } },
  ])
  assert.deepEqual(match.queryParams, [
    { name: 'Ver', test: { kind: 'prefix', value: '2' } },
    { name: 'v', test: { kind: 'regex', pattern: 'v[0-9]+' } },
  ])
  assert.equal(match.when, 'inCidr(request.ip, "10.0.0.0/8")')
})

test('params and the rest below are captured by templates, named groups by patterns', () => {
  const template = compiled({ path: '/a/{id}/**' }).captures
  assert.deepEqual([...template.params], ['id'])
  assert.equal(template.rest, 'captured')
  const pattern = compiled({ pathRegex: '/f/(?P<name>[a-z]+)[.](?P<ext>pdf|txt)' })
  assert.deepEqual([...pattern.captures.params].toSorted(), ['ext', 'name'])
  assert.equal(pattern.captures.rest, 'absent')
  assert.equal(pattern.match.path.kind, 'regex')
})

test('a broken path leaves no match, since it is not known which requests it would take', () => {
  for (const spec of [{ path: '/a/%2e' }, { pathRegex: '(' }, { pathRegex: '(?P<a>x)(?P<a>y)' }]) {
    const { value, problems } = compile(spec)
    assert.equal(value, null)
    assert.equal(problems.length, 1)
  }
  assert.equal(compile({ path: '/a%2Db' }).problems[0]?.path, 'spec.rules[0].match[0].path')
})

test('a broken predicate leaves the match as narrow as it can be', () => {
  const { value, problems } = compile({
    path: '/a',
    headers: [{ name: 'x-a', regex: '(' }],
    queryParams: [{ name: 'q', regex: '[' }],
    when: 'auth.consumer == "a"',
  })
  assert.deepEqual(value?.match.headers, [{ name: 'x-a', test: { kind: 'present' } }])
  assert.deepEqual(value?.match.queryParams, [{ name: 'q', test: { kind: 'present' } }])
  assert.equal(value?.match.when, null)
  assert.deepEqual(
    problems.map(({ path }) => path.replace('spec.rules[0].match[0].', '')),
    ['headers[0].regex', 'queryParams[0].regex', 'when'],
  )
})

test('a condition that is no bool, or asks for more than the request, is refused', () => {
  for (const when of ['request.path.size()', 'auth.method == "x"', 'calls.a.ok', 'request.', '']) {
    assert.equal(compile({ when }).problems.length > 0, true, when)
  }
})
