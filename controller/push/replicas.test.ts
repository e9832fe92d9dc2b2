/**
 * Promises of replicas.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReplicas, together } from './replicas.ts'
import { type Member, running } from './tally.ts'

const nothing = { connectedAtMs: 0, rejected: [], refused: null }

function own(dataPlane: string, connectedAtMs: number): Member {
  return { gateway: 'a/g', dataPlane, version: 1, basis: {}, hash: null, ...nothing, connectedAtMs }
}

test('a member counts by the versions of the controller it is with', () => {
  const replicas = createReplicas(() => undefined)
  const told = replicas.begin('b')
  const resources = [{ uid: 'u', generation: 3, version: 70 }]
  const members = [
    { ...nothing, dataPlane: 'x', version: 70 },
    { ...nothing, dataPlane: 'y', version: 69 },
  ]
  told.take({ type: 'carried', gateway: 'a/g', resources })
  told.take({ type: 'members', gateway: 'a/g', newest: 71, members })
  const since = ({ replica = '' }: Member): number | null =>
    replicas.since({ replica, gateway: 'a/g', uid: 'u', generation: 3 })
  assert.deepEqual(running(replicas.members('a/g'), { uid: 'u', since }), {
    kind: 'notYet',
    where: ['y'],
  })
  assert.equal(replicas.newest('b', 'a/g'), 71)
  const older = { replica: 'b', gateway: 'a/g', uid: 'u', generation: 2 }
  assert.equal(replicas.since(older), null, 'another generation is not this one')
})

test('a controller whose stream ends has no members any more, and a new stream begins anew', () => {
  const changes: string[] = []
  const replicas = createReplicas((gateway) => changes.push(gateway))
  const members = [{ ...nothing, dataPlane: 'x', version: 1 }]
  const first = replicas.begin('b')
  first.take({ type: 'members', gateway: 'a/g', newest: 1, members })
  const second = replicas.begin('b')
  assert.deepEqual(replicas.members('a/g'), [])
  first.take({ type: 'members', gateway: 'a/g', newest: 1, members })
  assert.deepEqual(replicas.members('a/g'), [], 'the old stream has no say')
  second.take({ type: 'members', gateway: 'a/g', newest: 1, members })
  first.end()
  assert.equal(replicas.members('a/g').length, 1)
  second.end()
  assert.deepEqual(replicas.members('a/g'), [])
  assert.deepEqual(changes, ['a/g', 'a/g', 'a/g', 'a/g'])
})

test('a data plane that has turned to another controller counts there', () => {
  const there: Member = { ...own('x', 5), replica: 'b' }
  assert.deepEqual(together([own('x', 4), own('y', 1)], [there]), [there, own('y', 1)])
  assert.deepEqual(together([own('x', 6)], [there]), [own('x', 6)])
})
