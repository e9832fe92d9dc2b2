/**
 * Promises of conditions.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '../compile/compiled.ts'
import type { Running } from '../push/tally.ts'
import { type ObjectStatus, sameStatus, statusOf } from './conditions.ts'
import type { Laggards } from './lag.ts'

const accepted = {
  status: 'True',
  reason: 'Accepted',
  message: 'Everything in it is valid.',
} as const
const target = { kind: 'ApiGateway', namespace: 'fl', name: 'public', sectionName: null }

function verdict(changes: Partial<Verdict> = {}): Verdict {
  return {
    kind: 'ApiRoute',
    namespace: 'shop',
    name: 'shop',
    uid: 'u',
    generation: 2,
    resourceVersion: '7',
    accepted,
    problems: [],
    targets: [{ target, accepted, gateways: ['fl/public'], programmed: null }],
    runs: 'current',
    ...changes,
  }
}

function status(
  running: Running | ((gateway: string) => Running),
  changes: Partial<Verdict> = {},
  before: unknown = null,
  now = '2026-01-01T00:00:00Z',
): ObjectStatus {
  const progress = typeof running === 'function' ? running : () => running
  return statusOf({
    verdict: verdict(changes),
    progress,
    gateways: [],
    laggards: null,
    before,
    now,
  })
}

function programmed(written: ObjectStatus): string {
  const condition = written.conditions.find(({ type }) => type === 'Programmed')
  return `${condition?.status} ${condition?.reason}`
}

const everywhere: Running = { kind: 'everywhere' }
const notYet: Running = { kind: 'notYet', where: ['a'] }

test('Programmed is latched for a generation', () => {
  const first = status(everywhere)
  assert.equal(programmed(first), 'True Programmed')
  assert.equal(programmed(status(notYet, {}, first)), 'True Programmed')
  assert.equal(programmed(status({ kind: 'nobody' }, {}, first)), 'True Programmed')
  assert.equal(programmed(status(notYet, { generation: 3 }, first)), 'False Reconciling')
  const rejected: Running = { kind: 'rejected', by: 'dp-1', because: 'too new' }
  assert.equal(programmed(status(rejected, {}, first)), 'False Rejected')
})

test('a condition keeps its time until it turns', () => {
  const first = status(notYet)
  const second = status(everywhere, {}, first, '2026-01-01T00:00:09Z')
  const times = second.conditions.map(
    ({ type, lastTransitionTime }) => `${type} ${lastTransitionTime}`,
  )
  assert.deepEqual(times, ['Accepted 2026-01-01T00:00:00Z', 'Programmed 2026-01-01T00:00:09Z'])
  const third = status(everywhere, {}, second, '2026-02-01T00:00:00Z')
  assert.equal(sameStatus(second, third), 'same')
  assert.deepEqual(third, second)
})

test('a route that runs on some gateways only says so', () => {
  const other = { ...target, name: 'internal' }
  const targets = [target, other].map((one) => ({
    target: one,
    accepted,
    gateways: [`fl/${one.name}`],
    programmed: null,
  }))
  const mixed = status((gateway) => (gateway === 'fl/public' ? everywhere : notYet), { targets })
  assert.equal(programmed(mixed), 'False PartiallyProgrammed')
  assert.deepEqual(
    mixed.gateways?.map(({ gateway }) => gateway.name),
    ['internal', 'public'],
    'failures first',
  )
})

test('what compile decides counts more than what data planes say', () => {
  const judgement = { status: 'False', reason: 'Overridden', message: 'By fl/strict.' } as const
  const targets = [{ target, accepted, gateways: [], programmed: judgement }]
  assert.equal(programmed(status(everywhere, { kind: 'AuthPolicy', targets })), 'False Overridden')
  const invalid = { status: 'False', reason: 'Invalid', message: 'No.' } as const
  const nothing = status(everywhere, { accepted: invalid, targets: [], runs: 'nothing' })
  assert.equal(programmed(nothing), 'False NotAccepted')
})

test('a gateway of which a part is refused is programmed with the rest', () => {
  const partly = { status: 'False', reason: 'PartiallyAccepted', message: 'No HTTPS.' } as const
  const written = statusOf({
    verdict: verdict({ kind: 'ApiGateway', accepted: partly, targets: [], runs: 'current' }),
    progress: () => everywhere,
    gateways: ['fl/public'],
    laggards: { lagging: [], passing: [] },
    before: null,
    now: '2026-01-01T00:00:00Z',
  })
  assert.equal(programmed(written), 'True Programmed')
})

test('problems and places are cut to what people read, failures first', () => {
  const problem = {
    path: 'spec',
    reason: 'Invalid',
    sentence: 'x'.repeat(5000),
    severity: 'failure',
  } as const
  const targets = Array.from({ length: 40 }, (_, i) => ({
    target: { ...target, name: `g${i}` },
    accepted,
    gateways: [i === 39 ? 'bad' : 'good'],
    programmed: null,
  }))
  const problems = Array.from({ length: 40 }, () => problem)
  const written = status((name) => (name === 'bad' ? notYet : everywhere), { targets, problems })
  assert.equal(written.gateways?.length, 16)
  assert.equal(written.gateways?.[0]?.gateway.name, 'g39')
  assert.equal(written.problems.length, 16)
  assert.ok((written.problems[0]?.sentence.length ?? 0) <= 1024)
})

test('data planes that are behind for a moment change nothing on the gateway', () => {
  const gateway = (laggards: Laggards, before: unknown): ObjectStatus =>
    statusOf({
      verdict: verdict({ kind: 'ApiGateway', targets: [] }),
      progress: () => everywhere,
      gateways: ['fl/public'],
      laggards,
      before,
      now: '2026-01-01T00:00:00Z',
    })
  const said = ({ conditions }: ObjectStatus): string => {
    const condition = conditions.find(({ type }) => type === 'DataPlanesInSync')
    return `${condition?.status} ${condition?.message}`
  }
  const synced = gateway({ lagging: [], passing: [] }, null)
  assert.equal(said(synced), 'True Every data plane runs the newest table.')
  assert.equal(said(gateway({ lagging: [], passing: ['a'] }, synced)), said(synced))
  const out = gateway({ lagging: ['a'], passing: ['b'] }, synced)
  assert.equal(said(out), 'False Behind the newest table: a.')
  assert.equal(said(gateway({ lagging: [], passing: ['a', 'b'] }, out)), said(out))
  assert.equal(said(gateway({ lagging: [], passing: ['a'] }, null)), said(out))
})
