/**
 * Promises of board.ts.
 */
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

function boardWith(fleet: { version: number | null }, clock = { ms: 0 }) {
  return createBoard({
    push: { since: () => 5, newest: () => 6, members: () => [] },
    members: () => [member(fleet.version)],
    statusBefore: () => null,
    now: () => new Date(clock.ms),
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
  const clock = { ms: 0 }
  const board = boardWith(fleet, clock)
  board.compiled(compiled(verdict('ApiRoute', 'a'), verdict('ApiGateway', 'public')))
  clock.ms = board.lookAgainInMs('fl/public') ?? 0
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

test('a pod that becomes ready after it has connected counts from then on', () => {
  const ready: Member[] = []
  const board = createBoard({
    push: { since: () => 1, newest: () => 1, members: () => [] },
    members: () => ready,
    statusBefore: () => null,
    now: () => new Date(0),
  })
  const route = verdict('ApiRoute', 'a')
  board.compiled(compiled(route))
  assert.match(reasons(board.status('ApiRoute fl/a')), /Programmed=NoDataPlanes/)
  ready.push(member(1))
  assert.deepEqual(
    [...board.compiled(compiled(route))].toSorted(),
    ['ApiGateway fl/public', 'ApiRoute fl/a'],
    'the EndpointSlice that says so is a change like any other',
  )
  assert.match(reasons(board.status('ApiRoute fl/a')), /Programmed=Programmed/)
})

test('what no table is made from is programmed with the table made beside it', () => {
  const fleet = { version: 5 }
  const board = createBoard({
    push: { since: () => null, newest: () => 6, members: () => [] },
    members: () => [member(fleet.version)],
    statusBefore: () => null,
    now: () => new Date(0),
  })
  board.compiled(compiled(verdict('Consumer', 'acme')))
  assert.match(reasons(board.status('Consumer fl/acme')), /Programmed=Reconciling/)
  fleet.version = 6
  assert.match(reasons(board.status('Consumer fl/acme')), /Programmed=Programmed/)
})
