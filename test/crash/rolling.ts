/**
 * A rolling restart of two data planes behind a balancer, round after round, under load. The suite
 * runs a few rounds; `make rolling` runs fifty: `node --test test/crash/rolling-long.test.ts`.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { freePort, PROXY, ruleOf } from '../../dataplane/fake/plane.ts'
import { until } from '../../dataplane/upstream/fake/recorder.ts'
import { type Fairlead, fairlead } from '../fake/fairlead.ts'
import { type Instance, startBalancer } from './balancer.ts'
import { stateWith } from './plane.ts'
import { runClients, startBackend, type Tally } from './rolling-clients.ts'

const READY_WITHIN_MS = 60_000

export async function rollingRestart(t: TestContext, rounds: number): Promise<void> {
  const backend = await startBackend()
  t.after(() => backend.close())
  const state = [await stateOf(t, backend.port), await stateOf(t, backend.port)]
  const instances: Instance[] = []
  for (const _ of state) instances.push({ http: await freePort(), admin: await freePort() })
  const running = instances.map((instance, i) => start(t, instance, state[i] ?? ''))
  const balancer = await startBalancer(instances)
  t.after(() => balancer.close())
  await until('both are ready', () => balancer.ready.size === 2, READY_WITHIN_MS)

  const tally: Tally = { answered: 0, lost: [] }
  const end = new AbortController()
  const clients = runClients(balancer.port, tally, end.signal)
  for (let round = 0; round < rounds; round++) {
    const at = round % 2
    const instance = instances[at]
    assert.ok(instance !== undefined)
    assert.equal(await running[at]?.stop('SIGTERM'), 0, `round ${round}`)
    running[at] = start(t, instance, state[at] ?? '')
    const isBack = (): boolean => balancer.ready.has(instance)
    await until(`instance ${at} is back`, isBack, READY_WITHIN_MS)
    assert.deepEqual(tally.lost, [], `round ${round}`)
  }
  end.abort()
  await clients
  assert.deepEqual(tally.lost, [])
  t.diagnostic(`${rounds} restarts, ${tally.answered} answers, none lost`)
}

async function stateOf(t: TestContext, port: number): Promise<string> {
  return stateWith(t, [ruleOf('all', '/**', PROXY)], port)
}

function start(t: TestContext, { http, admin }: Instance, state: string): Fairlead {
  const flags = {
    http: `127.0.0.1:${http}`,
    admin: `127.0.0.1:${admin}`,
    controller: '127.0.0.1:1',
    ca: `${state}/token`,
    token: `${state}/token`,
    state,
    workers: '1',
    grace: '8s',
  }
  const command = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const plane = fairlead(['dataplane', ...command])
  t.after(() => plane.stop('SIGTERM'))
  return plane
}
