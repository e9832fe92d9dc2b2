/**
 * Verdicts on keys: what stands between an ApiKey and its being in a table.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_GATEWAY, DEPS, World, type Written } from '../../test/fake/world.ts'
import { createCompiler } from './compile.ts'
import type { Verdict } from './compiled.ts'

function consumer(spec: object): Written {
  return { kind: 'Consumer', metadata: { name: 'acme', namespace: 'shop' }, spec }
}

function key(name: string, hash = 'a'): Written {
  const spec = { consumerRef: { name: 'acme' }, sha256: hash.repeat(64) }
  return { kind: 'ApiKey', metadata: { name, namespace: 'shop' }, spec }
}

function judge(world: World, name: string): Verdict | undefined {
  const { verdicts } = createCompiler(DEPS).compile(world.snapshot())
  return verdicts.get(`ApiKey shop/${name}`)
}

test('a key whose Consumer is invalid says so instead of waiting for ever', () => {
  const world = new World().apply(DEFAULT_GATEWAY, consumer({ groups: ['a b'] }), key('one'))
  const before = judge(world, 'one')
  assert.equal(before?.accepted.reason, 'TargetNotFound')
  assert.equal(before.problems[0]?.path, 'spec.consumerRef.name')
  assert.match(before.problems[0].sentence, /Consumer "acme" .* is not valid/)
  assert.equal(before.runs, 'nothing')
  world.apply(consumer({ groups: ['a'] }))
  assert.equal(judge(world, 'one')?.accepted.status, 'True')
})

test('a missing Consumer is told once', () => {
  const world = new World().apply(DEFAULT_GATEWAY, key('one'))
  const verdict = judge(world, 'one')
  assert.deepEqual(
    verdict?.problems.map(({ reason }) => reason),
    ['TargetNotFound'],
  )
})

test('of two keys with one hash the younger is told which is older', () => {
  const world = new World().apply(DEFAULT_GATEWAY, consumer({}), key('old'), key('young'))
  assert.equal(judge(world, 'old')?.accepted.status, 'True')
  const young = judge(world, 'young')
  assert.equal(young?.accepted.reason, 'Conflicted')
  assert.match(young.problems[0]?.sentence ?? '', /ApiKey shop\/old, which is older/)
})
