/**
 * Promises of readiness.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SAMPLES } from '../../test/wire/samples.ts'
import { xorOf } from '#wire/digest'
import { objectId } from '#wire/table'
import { createHeld } from './held.ts'
import type { Held } from './held.ts'
import { createReadiness } from './readiness.ts'

function reach(held: Held, version: string): void {
  const puts = new Map(SAMPLES.map((object) => [objectId(object.kind, object.key), object]))
  const hash = xorOf(SAMPLES.map(({ digest }) => digest))
  const planned = held.plan({ from: 'snapshot', puts, drops: new Map(), hash })
  assert.ok(planned.kind === 'change')
  held.commit(planned.change, { reached: at(version), rejected: [] })
}

function at(version: string) {
  return { epoch: '0', basis: { ApiRoute: version } }
}

test('a new member is not ready before it runs what was offered in hello', () => {
  const held = createHeld()
  const readiness = createReadiness(held)
  readiness.offered(at('10'))
  reach(held, '9')
  readiness.committed()
  assert.equal(readiness.state, 'waiting')
  assert.match(readiness.because, /behind in ApiRoute/)
  readiness.offered(at('20')) // later streams do not move the mark
  reach(held, '10')
  readiness.committed()
  assert.equal(readiness.state, 'ready')
})

test('a table from disk that is not behind is ready at hello', () => {
  const held = createHeld()
  const readiness = createReadiness(held)
  reach(held, '10')
  assert.equal(readiness.state, 'waiting')
  readiness.offered(at('10'))
  assert.equal(readiness.state, 'ready')
})

test('alone it is ready with a table from disk, and never without one', async () => {
  const held = createHeld()
  const readiness = createReadiness(held)
  readiness.alone('no controller can be reached')
  assert.deepEqual(
    [readiness.state, readiness.because],
    ['waiting', 'no controller can be reached'],
  )
  reach(held, '10')
  readiness.alone('no controller can be reached')
  assert.equal(readiness.state, 'ready')
  await readiness.ready
})

test('ready stays ready', () => {
  const held = createHeld()
  const readiness = createReadiness(held)
  reach(held, '10')
  readiness.offered(at('10'))
  readiness.offered(at('30'))
  readiness.alone('x')
  readiness.committed()
  assert.deepEqual([readiness.state, readiness.because], ['ready', ''])
})
