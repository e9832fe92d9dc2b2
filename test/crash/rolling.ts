/**
 * A rolling restart of two data planes behind a balancer, round after round, under load: in each
 * round one of them is told to stop, ends by itself, and is started anew on its old state.
 */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { freePort, PROXY, ruleOf } from '../../dataplane/fake/plane.ts'
import { until } from '../../dataplane/upstream/fake/recorder.ts'
import { type Fairlead, fairlead } from '../fake/fairlead.ts'
import { type Balancer, type Instance, startBalancer } from './balancer.ts'
import { stateWith } from './plane.ts'
import { runClients, startBackend, type Tally } from './rolling-clients.ts'

const READY_WITHIN_MS = 60_000
/** Of what was lost: the first ones tell the story. */
const SHOWN_MAX = 10
/** A line for each exchange is printed: of a failure the end is shown. */
const OUTPUT_SHOWN_MAX = 2_000
const GRACE = '8s'

export async function rollingRestart(t: TestContext, rounds: number): Promise<void> {
  const backend = await startBackend()
  t.after(() => backend.close())
  const places = [await startPlace(t, backend.port), await startPlace(t, backend.port)]
  const balancer = await startBalancer(places.map(({ instance }) => instance))
  t.after(() => balancer.close())
  await until('both are ready', () => balancer.ready.size === places.length, READY_WITHIN_MS)

  const tally: Tally = { answered: 0, lost: [] }
  const end = new AbortController()
  const clients = runClients(balancer.port, tally, end.signal)
  try {
    for (let round = 0; round < rounds && tally.lost.length === 0; round++) {
      const place = places[round % places.length]
      assert.ok(place !== undefined)
      await restart(place, balancer)
    }
  } finally {
    end.abort()
    await clients
  }
  assert.deepEqual(tally.lost.slice(0, SHOWN_MAX), [])
  t.diagnostic(`${rounds} restarts, ${tally.answered} answers, none lost`)
}

/** Where an instance runs, one process after the other. */
interface Place {
  readonly instance: Instance
  readonly state: string
  running: Fairlead
}

async function startPlace(t: TestContext, backendPort: number): Promise<Place> {
  const any = { method: null, path: { kind: 'any' }, headers: [], queryParams: [] } as const
  const all = ruleOf('all', '/', PROXY, { matches: [{ ...any, when: null }] })
  const state = await stateWith([all], backendPort)
  const instance = { http: await freePort(), admin: await freePort() }
  const place = { instance, state, running: start(instance, state) }
  t.after(async () => {
    await place.running.stop('SIGTERM')
    await rm(state, { recursive: true, force: true, maxRetries: 10 })
  })
  return place
}

async function restart(place: Place, balancer: Balancer): Promise<void> {
  const { instance, state } = place
  const code = await place.running.stop('SIGTERM')
  assert.equal(code, 0, place.running.output().slice(-OUTPUT_SHOWN_MAX))
  await until('nobody is sent to it', () => !balancer.ready.has(instance), READY_WITHIN_MS)
  place.running = start(instance, state)
  await until('it is back', () => balancer.ready.has(instance), READY_WITHIN_MS)
}

function start({ http, admin }: Instance, state: string): Fairlead {
  const flags = {
    http: `127.0.0.1:${http}`,
    admin: `127.0.0.1:${admin}`,
    controller: '127.0.0.1:1',
    ca: `${state}/token`,
    token: `${state}/token`,
    state,
    workers: '1',
    grace: GRACE,
  }
  const command = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  return fairlead(['dataplane', ...command])
}
