/**
 * Promises of members.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member } from '../push/tally.ts'
import { ingest } from '../watch/ingest.ts'
import { createStore } from '../watch/store.ts'
import { createMembers } from './members.ts'

function connected(dataPlane: string): Member {
  const nothing = { connectedAtMs: 0, basis: {}, hash: null, rejected: [], refused: null }
  return { gateway: 'fl/public', dataPlane, version: 3, ...nothing }
}

function snapshotWith(service: string | null) {
  const store = createStore(() => ({ defaultGateway: 'fl/public', unresolvedServices: 'problem' }))
  const dataPlanes = { serviceAccount: 'dp', ...(service === null ? {} : { service }) }
  store.put(
    ingest('ApiGateway', { metadata: { namespace: 'fl', name: 'public' }, spec: { dataPlanes } }),
  )
  const endpoint = (name: string, conditions: object) => ({
    conditions,
    targetRef: { kind: 'Pod', name },
  })
  store.put(
    ingest('EndpointSlice', {
      metadata: { namespace: 'fl', name: 'a', labels: { 'kubernetes.io/service-name': 'dps' } },
      endpoints: [
        endpoint('one', { ready: true }),
        endpoint('two', {}),
        endpoint('three', { ready: false }),
      ],
    }),
  )
  return store.snapshot(new Map())
}

test('a ready pod that is not connected counts as one that runs nothing', () => {
  const members = createMembers().of('fl/public', snapshotWith('dps'), [
    connected('one'),
    connected('stranger'),
  ])
  assert.deepEqual(
    members.map(({ dataPlane, version }) => `${dataPlane} ${version}`),
    ['one 3', 'two null'],
  )
})

test('without a Service those that are connected count', () => {
  const members = createMembers().of('fl/public', snapshotWith(null), [connected('x')])
  assert.deepEqual(
    members.map(({ dataPlane }) => dataPlane),
    ['x'],
  )
})
