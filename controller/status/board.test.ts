/** Promises of board.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Compiled, Verdict } from '../compile/compiled.ts'
import type { Member } from '../push/tally.ts'
import { createBoard } from './board.ts'

const accepted = { status: 'True', reason: 'Accepted', message: '' } as const

function verdict(kind: string, name: string, generation = 1): Verdict {
  const target = { kind: 'ApiGateway', namespace: 'fl', name: 'public', sectionName: null }
  const targets =
    kind === 'ApiRoute' ? [{ target, accepted, gateways: ['fl/public'], programmed: null }] : []
  return {
    kind,
    namespace: 'fl',
    name,
    uid: `${kind}-${name}`,
    generation,
    resourceVersion: '1',
    accepted,
    problems: [],
    targets,
    runs: 'current',
  }
}

function compiled(...verdicts: readonly Verdict[]): Compiled {
  return {
    tables: new Map([['fl/public', { objects: new Map(), hash: '0'.repeat(64) }]]),
    verdicts: new Map(verdicts.map((one) => [`${one.kind} ${one.namespace}/${one.name}`, one])),
    remembering: [],
    remembered: new Map(),
  }
}

function member(version: number | null): Member {
  return {
    gateway: 'fl/public',
    dataPlane: 'dp',
    connectedAtMs: 0,
    version,
    basis: {},
    hash: null,
    rejected: [],
    refused: null,
  }
}

function boardWith(fleet: { version: number | null }) {
  return createBoard({
    push: { since: () => 5, newest: () => 6, members: () => [] },
    members: () => [member(fleet.version)],
    statusBefore: () => null,
    now: () => new Date(0),
  })
}

function reasons(status: ReturnType<ReturnType<typeof boardWith>['status']>): string {
  return (status?.conditions ?? []).map(({ type, reason }) => `${type}=${reason}`).join(' ')
}

test('an acknowledgement touches only what was waiting for it', () => {
  const fleet = { version: 4 }
  const board = boardWith(fleet)
  const [a, b] = [verdict('ApiRoute', 'a'), verdict('ApiRoute', 'b')]
  const gateway = verdict('ApiGateway', 'public')
  assert.deepEqual([...board.compiled(compiled(a, b, gateway))].toSorted(), [
    'ApiGateway fl/public',
    'ApiRoute fl/a',
    'ApiRoute fl/b',
  ])
  assert.equal(reasons(board.status('ApiRoute fl/a')), 'Accepted=Accepted Programmed=Reconciling')
  fleet.version = 5
  assert.equal(reasons(board.status('ApiRoute fl/b')), 'Accepted=Accepted Programmed=Programmed')
  assert.deepEqual([...board.membersChanged('fl/public')].toSorted(), [
    'ApiGateway fl/public',
    'ApiRoute fl/a',
  ])
  assert.deepEqual([...board.compiled(compiled(a, b, gateway))], ['ApiGateway fl/public'])
})

test('a data plane that lags shows on the gateway alone', () => {
  const fleet = { version: 5 }
  const board = boardWith(fleet)
  board.compiled(compiled(verdict('ApiRoute', 'a'), verdict('ApiGateway', 'public')))
  assert.match(reasons(board.status('ApiGateway fl/public')), /DataPlanesInSync=OutOfSync/)
  assert.match(reasons(board.status('ApiRoute fl/a')), /Programmed=Programmed/)
  fleet.version = 6
  assert.match(reasons(board.status('ApiGateway fl/public')), /DataPlanesInSync=InSync/)
})

test('an object that is gone has no status', () => {
  const board = boardWith({ version: 6 })
  board.compiled(compiled(verdict('ApiRoute', 'a')))
  board.compiled(compiled())
  assert.equal(board.status('ApiRoute fl/a'), null)
})
