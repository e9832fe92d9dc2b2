/**
 * Promises of tally.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rejection } from '#wire/session'
import { createTally, running } from './tally.ts'
import type { Member } from './tally.ts'

function member(
  dataPlane: string,
  version: number | null,
  rejected: readonly Rejection[] = [],
): Member {
  return {
    gateway: 'a/g',
    dataPlane,
    connectedAtMs: 0,
    version,
    basis: {},
    hash: null,
    rejected,
    refused: null,
  }
}

test('a resource runs everywhere when every member acknowledged its table', () => {
  const question = { uid: 'u', since: () => 4 }
  assert.deepEqual(running([], question), { kind: 'nobody' })
  assert.deepEqual(running([member('a', 4), member('b', 7)], question), { kind: 'everywhere' })
  assert.deepEqual(running([member('a', 4), member('b', 3), member('c', null)], question), {
    kind: 'notYet',
    where: ['b', 'c'],
  })
})

test('a rejection counts where the member runs the table that it is about', () => {
  const sources = [{ kind: 'ApiRoute', name: 'a/r', uid: 'u', generation: 2 }]
  const rejected = [{ kind: 'rule', key: 'a/r/x', sources, reason: 'No.' }] as const
  const members = [member('a', 4), member('b', 4, rejected)]
  assert.deepEqual(running(members, { uid: 'u', since: () => 4 }), {
    kind: 'rejected',
    by: 'b',
    because: 'No.',
  })
  assert.deepEqual(running(members, { uid: 'other', since: () => 4 }), { kind: 'everywhere' })
  assert.equal(running(members, { uid: 'u', since: () => 5 }).kind, 'notYet')
})

test('members are those that are connected, each once, and every change is told', () => {
  const told: string[] = []
  const tally = createTally((gateway) => told.push(gateway))
  tally.set(member('a', null))
  tally.set(member('a', 1))
  tally.set(member('b', 1))
  assert.deepEqual(
    tally.members('a/g').map(({ dataPlane, version }) => [dataPlane, version]),
    [
      ['a', 1],
      ['b', 1],
    ],
  )
  tally.remove({ gateway: 'a/g', dataPlane: 'a' })
  tally.remove({ gateway: 'a/g', dataPlane: 'a' })
  assert.equal(tally.members('a/g').length, 1)
  assert.deepEqual(tally.members('a/other'), [])
  assert.equal(told.length, 4)
})
