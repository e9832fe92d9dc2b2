/**
 * What is written into the cluster: no more than what has changed, by one hand, and the truth.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { at, listAt, textAt } from '../../controller/kube/fields.ts'
import { startFaultProxy, statusBody } from './fault-proxy.ts'
import { type ControllerHere, startControllerHere, startPlaneHere, untilSynced } from './here.ts'
import { startStage, SYSTEM } from './stage.ts'
import { throughout, until } from './until.ts'

const ending = { after }
const WAIT = ['wait', '--for=condition=Programmed', '--timeout=20s', '--all-namespaces']

function route(name: string, path = `/${name}`): string {
  const rule = { name: 'all', public: true, match: [{ path }], respond: { status: 200 } }
  const spec = { hosts: [`${name}.example.com`], rules: [rule] }
  return JSON.stringify({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiRoute',
    metadata: { name, namespace: 'shop' },
    spec,
  })
}

const MANY = [
  ...Array.from({ length: 20 }, (_, i) => route(`many-${i}`)),
  ...['a', 'b'].map((name) =>
    JSON.stringify({
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: 'Consumer',
      metadata: { name, namespace: 'shop' },
      spec: {},
    }),
  ),
  JSON.stringify({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'AuthPolicy',
    metadata: { name: 'guests', namespace: 'shop' },
    spec: {
      targetRefs: [{ kind: 'ApiRoute', name: 'many-0' }],
      authenticate: { guest: { anonymous: {} } },
    },
  }),
].join('\n---\n')

const starting = (async () => {
  const stage = await startStage(ending)
  const proxy = await startFaultProxy(ending, stage.cluster)
  const kubeconfig = await proxy.kubeconfig(stage.kubeconfig)
  const controller = await startControllerHere(stage, { kubeconfig })
  await untilSynced(controller)
  const plane = await startPlaneHere(stage, { pod: 'plane-a', ports: [controller.port] })
  await stage.members(['plane-a'])
  await stage.apply(MANY)
  await stage.kubectl([...WAIT, 'apiroutes,authpolicies,consumers,apigateways', '--all'])
  const running: { controller: ControllerHere } = { controller }
  return { stage, proxy, plane, running, kubeconfig }
})()

/** Everything that was written but the lease, and what is only asked. */
async function writes(): Promise<readonly string[]> {
  const { stage } = await starting
  const asked = await stage.cluster.audit()
  return asked
    .filter(({ verb }) => ['create', 'update', 'patch', 'delete'].includes(verb))
    .filter(({ resource }) => !/^(leases|tokenreviews|selfsubjectreviews)$/.test(resource))
    .map(({ verb, resource, namespace, name }) => `${verb} ${resource} ${namespace}/${name}`)
}

test('a status has the form of its schema, and stays what it was', async () => {
  const { stage } = await starting
  const text = await stage.kubectl([
    '-n',
    'shop',
    'get',
    'apiroute',
    'many-0',
    '-o',
    'json',
    '--show-managed-fields',
  ])
  const object: unknown = JSON.parse(text)
  assert.equal(at(object, 'status', 'observedGeneration'), 1)
  const [gateway] = listAt(object, 'status', 'gateways')
  assert.deepEqual(at(gateway, 'gateway'), { name: 'default', namespace: SYSTEM })
  const policy: unknown = JSON.parse(
    await stage.kubectl(['-n', 'shop', 'get', 'authpolicy', 'guests', '-o', 'json']),
  )
  const [target] = listAt(policy, 'status', 'targets')
  assert.deepEqual(at(target, 'target'), { kind: 'ApiRoute', name: 'many-0', namespace: 'shop' })
  const managers = listAt(object, 'metadata', 'managedFields').map((entry) =>
    [textAt(entry, 'manager'), textAt(entry, 'subresource')].join(' '),
  )
  assert.ok(managers.includes('fairlead status'), managers.join())
})

test('a settled cluster is not written to', async () => {
  const { stage, plane, running, kubeconfig } = await starting
  await until('the last Events are out', 5_000, quiet)
  const before = await writes()
  const swaps = plane.workers.changes.length
  for (let i = 0; i < 5; i += 1) {
    await stage.kubectl(['annotate', '--overwrite', 'namespace', 'shop', `touched=${i}`])
    await stage.kubectl(['-n', 'shop', 'annotate', '--overwrite', 'apiroute', 'many-1', `at=${i}`])
  }
  await throughout(2_500, () => undefined)
  assert.deepEqual((await writes()).slice(before.length), [])
  assert.equal(plane.workers.changes.length, swaps, 'and nothing is pushed')

  const { port } = running.controller
  await running.controller.close()
  running.controller = await startControllerHere(stage, { kubeconfig, port })
  await untilSynced(running.controller)
  await until('the data plane is back', 10_000, () =>
    plane.sync.state().stream === 'up' ? 'yes' : null,
  )
  await throughout(2_500, () => undefined)
  assert.deepEqual((await writes()).slice(before.length), [], 'a restart writes nothing either')
})

async function quiet(): Promise<'yes' | null> {
  const before = (await writes()).length
  await throughout(500, () => undefined)
  return (await writes()).length === before ? 'yes' : null
}

test('a turn of Accepted shows as an Event', async () => {
  const { stage } = await starting
  await stage.apply(route('turns').replace('"/turns"', '"/turns","when":"nonsense("'))
  const events = (): Promise<string> =>
    stage.kubectl(['-n', 'shop', 'events', '--for=apiroute/turns', '--no-headers'])
  await until('the Event that warns', 5_000, async () => {
    const said = await events()
    return /Warning +InvalidExpression +ApiRoute\/turns +spec\.rules\[0\]/.test(said) ? said : null
  })
  await stage.apply(route('turns'))
  await until('the Events that end it', 5_000, async () => {
    const said = await events()
    return /Normal +Accepted/.test(said) && /Normal +Programmed/.test(said) ? said : null
  })
})

test('a write that met a change is made again, from what is there then', async () => {
  const { stage, proxy } = await starting
  const attempts: number[] = []
  proxy.faults = ({ method, path }) => {
    if (method !== 'PATCH' || !path.endsWith('/apiroutes/conflict/status')) return null
    attempts.push(performance.now())
    return attempts.length === 1 ? { kind: 'delay', ms: 700 } : null
  }
  await stage.apply(route('conflict'))
  await until('the first write is on its way', 5_000, () => attempts[0] ?? null)
  await stage.kubectl(['-n', 'shop', 'annotate', 'apiroute', 'conflict', 'moved=on'])
  await stage.says('shop/apiroutes/conflict', 'Programmed', 'True Programmed')
  proxy.faults = () => null
  const conflicts = (await stage.cluster.audit()).filter(({ code }) => code === 409)
  assert.ok(
    conflicts.some(({ resource }) => resource === 'apiroutes/status'),
    'there was one',
  )
  assert.ok(attempts.length <= 5, `${attempts.length} attempts`)
})

test('a write that fails is made again ever less often, and holds up no other', async () => {
  const { stage, proxy } = await starting
  let refused = 0
  proxy.faults = ({ method, path }) => {
    if (method !== 'PATCH' || !path.endsWith('/apiroutes/refused/status')) return null
    refused += 1
    return { kind: 'answer', status: 500, body: statusBody(500, 'InternalError') }
  }
  await stage.apply(`${route('refused')}\n---\n${route('beside')}`)
  await stage.says('shop/apiroutes/beside', 'Programmed', 'True Programmed')
  await throughout(3_000, () => undefined)
  assert.ok(refused >= 2 && refused <= 6, `${refused} attempts`)
  proxy.faults = () => null
  await stage.says('shop/apiroutes/refused', 'Programmed', 'True Programmed', 15_000)
})

test('statuses that somebody else writes are not fought over', async () => {
  const { stage } = await starting
  await until('it is quiet', 10_000, quiet)
  const before = (await writes()).length
  for (let i = 0; i < 8; i += 1) {
    const status = { status: { observedGeneration: 90 + i } }
    const patch = ['patch', 'apiroute', 'many-3', '--subresource=status', '--type=merge', '-p']
    await stage.kubectl(['-n', 'shop', ...patch, JSON.stringify(status)])
  }
  await throughout(1_000, () => undefined)
  const made = (await writes()).slice(before)
  assert.ok(made.length <= 2, made.join('\n'))
})

test('a data plane that is ready and not there shows on the gateway, and holds up what is new', async () => {
  const { stage } = await starting
  const gateway = `${SYSTEM}/apigateways/default`
  await stage.members(['plane-a', 'plane-b'])
  await stage.says(gateway, 'DataPlanesInSync', 'False OutOfSync', 20_000)
  const said = await stage.kubectl(['-n', SYSTEM, 'get', 'apigateway', 'default', '-o', 'yaml'])
  assert.match(said, /Behind the newest table: plane-b\./)
  assert.equal(await stage.condition('shop/apiroutes/many-0', 'Programmed'), 'True Programmed')
  await stage.apply(route('waits'))
  await stage.says('shop/apiroutes/waits', 'Programmed', 'False Reconciling', 6_000)
  await stage.members(['plane-a'])
  await stage.says('shop/apiroutes/waits', 'Programmed', 'True Programmed')
  await stage.says(gateway, 'DataPlanesInSync', 'True InSync')
})
