/**
 * Cors of rules.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CorsSpec } from '../../crds/traffic.ts'
import { compileCors } from './cors.ts'
import { FieldPath } from './problem.ts'

const AT = new FieldPath<CorsSpec>('cors')
const ANY = [{ path: '/a' }]

test('origins are written as browsers write them', () => {
  const origins = [
    'https://App.Example.com:443',
    'https://app.example.com',
    'http://a.example:0080',
    'https://a.example:80',
    'https://*.Example.com:8443',
    'null',
  ]
  const { value, problems } = compileCors({ origins }, AT, ANY)
  assert.deepEqual(problems, [])
  assert.deepEqual(value.origins, [
    'https://app.example.com',
    'http://a.example',
    'https://a.example:80',
    'https://*.example.com:8443',
    'null',
  ])
})

test('methods that are not named are those of the matches', () => {
  const methods = (match: Parameters<typeof compileCors>[2]): unknown =>
    compileCors({ origins: ['*'] }, AT, match).value.methods
  assert.deepEqual(methods([{ method: 'GET', path: '/a' }, { method: 'PUT' }, { method: 'GET' }]), [
    'GET',
    'PUT',
  ])
  assert.equal(methods([{ method: 'GET' }, { path: '/a' }]), null)
})

test('what is open to all is refused beside credentials', () => {
  const spec = { origins: ['null'], headers: ['a', '*'], expose: ['*'], credentials: true }
  const { problems } = compileCors(spec, AT, ANY)
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['cors.headers[1]', 'cors.expose[0]', 'cors.origins[0]'],
  )
  assert.deepEqual(compileCors({ ...spec, credentials: false }, AT, ANY).problems, [])
})

test('a time is kept in whole seconds, and one that nobody can wait is refused', () => {
  const maxAge = (text: string): unknown => {
    const { value, problems } = compileCors({ origins: ['*'], maxAge: text }, AT, ANY)
    return problems[0]?.path ?? value.maxAgeS
  }
  assert.equal(maxAge('10m'), 600)
  assert.equal(maxAge('1500ms'), 1)
  assert.equal(maxAge('99999h'), 'cors.maxAge')
})
