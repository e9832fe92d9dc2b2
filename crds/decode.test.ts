import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BAD_OBJECTS } from '../test/bad-objects/all.ts'
import { decode } from './decode.ts'

test('every bad object is refused at its path with a sentence that helps', () => {
  for (const { name, kind, object, path, says, reason } of BAD_OBJECTS) {
    const { spec, problems } = decode(kind, object)
    assert.equal(spec, null, name)
    const found = problems.find((problem) => problem.path === path)
    assert.ok(found, `${name}: ${JSON.stringify(problems)}`)
    assert.ok(found.sentence.includes(says), `${name}: "${found.sentence}" has no "${says}"`)
    assert.equal(found.reason, reason, name)
    assert.equal(problems.length, 1, `${name}: ${JSON.stringify(problems)}`)
  }
})
