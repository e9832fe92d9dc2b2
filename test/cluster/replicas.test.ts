/**
 * Several controllers: one leads and writes, all serve, and none takes a data plane back in time.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { objectId } from '#wire/table'
import { freePorts } from './cluster.ts'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { startControllerHere, startPlaneHere, untilSynced } from './here.ts'
import { removeObject, requestToken } from './objects.ts'
import { CONTROLLER, startStage, SYSTEM } from './stage.ts'
import { throughout, until } from './until.ts'

const ending = { after }
const starting = (async () => {
  const stage = await startStage(ending)
  const [proxyA, proxyB] = [
    await startFaultProxy(ending, stage.cluster),
    await startFaultProxy(ending, stage.cluster),
  ]
  const of = { namespace: SYSTEM, account: CONTROLLER, audience: 'fairlead-wire' }
  const tokenFile = join(stage.cluster.folder, 'replica.token')
  await writeFile(tokenFile, await requestToken(stage.cluster.api, of), { mode: 0o600 })
  const [portA = 0, portB = 0] = await freePorts(2)
  const a = await startControllerHere(stage, {
    name: 'a',
    kubeconfig: await proxyA.kubeconfig(stage.kubeconfig),
    port: portA,
    tokenFile,
  })
  await until('a leads', 20_000, () => (says(a.lines, 'leads') ? 'yes' : null))
  const b = await startControllerHere(stage, {
    name: 'b',
    kubeconfig: await proxyB.kubeconfig(stage.kubeconfig),
    port: portB,
    tokenFile,
  })
  await untilSynced(b)
  return { stage, proxyA, proxyB, a, b }
})()

function says(lines: readonly { readonly message: string }[], standing: string): boolean {
  const last = lines.findLast(({ message }) => message.startsWith('this controller '))
  return last?.message === `this controller ${standing}`
}

function route(name: string, body: string): string {
  const match = [{ path: `/${name}` }]
  const rule = { name: 'all', public: true, match, respond: { status: 200, body } }
  return JSON.stringify({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiRoute',
    metadata: { name, namespace: 'shop' },
    spec: { hosts: ['shop.example.com'], rules: [rule] },
  })
}

function statusWrites(proxy: FaultProxy): number {
  return proxy.seen.filter(({ method, path }) => method === 'PATCH' && path.endsWith('/status'))
    .length
}

test('two controllers present one authority', async () => {
  const { stage, a, b } = await starting
  await stage.members(['plane-a'])
  for (const controller of [a, b]) {
    const plane = await startPlaneHere(stage, { pod: 'plane-a', ports: [controller.port] })
    await until('the stream is up', 10_000, () => (plane.sync.state().hash === null ? null : 'yes'))
    await plane.close()
  }
})

test('statuses are written by the leader only', async () => {
  const { stage, proxyA, proxyB } = await starting
  await stage.apply(route('one', 'body-1'))
  await until('a status is written', 10_000, () =>
    stage.condition('shop/apiroutes/one', 'Programmed'),
  )
  assert.ok(statusWrites(proxyA) > 0)
  assert.equal(statusWrites(proxyB), 0)
})

test('a generation that runs by way of two controllers is programmed', async () => {
  const { stage, a, b } = await starting
  const planes = [
    await startPlaneHere(stage, { pod: 'plane-a', ports: [a.port] }),
    await startPlaneHere(stage, { pod: 'plane-b', ports: [b.port] }),
  ]
  await stage.members(['plane-a', 'plane-b'])
  await stage.says(`${SYSTEM}/apigateways/default`, 'DataPlanesInSync', 'True InSync', 20_000)
  await stage.apply(route('both', 'body-0'))
  await stage.says('shop/apiroutes/both', 'Programmed', 'True Programmed')
  for (const { workers } of planes) {
    assert.ok(JSON.stringify([...workers.objects.values()]).includes('body-0'))
  }

  // One of them stands still: then it is not programmed, and the gateway says who it is.
  const gate = Promise.withResolvers<void>()
  const [, second] = planes
  if (second !== undefined) second.workers.gate = gate.promise
  await stage.apply(route('both', 'body-00'))
  await stage.says('shop/apiroutes/both', 'Programmed', 'False Reconciling')
  const gateway = `${SYSTEM}/apigateways/default`
  await stage.says(gateway, 'DataPlanesInSync', 'False OutOfSync')
  gate.resolve()
  await stage.says('shop/apiroutes/both', 'Programmed', 'True Programmed')
  await stage.says(gateway, 'DataPlanesInSync', 'True InSync')
  for (const plane of planes) await plane.close()
  await stage.members(['plane-a'])
})

test('a spec that was valid is stored once, by the leader, before anybody pushes without it', async () => {
  const { stage, b } = await starting
  const plane = await startPlaneHere(stage, { pod: 'plane-a', ports: [b.port] })
  const objects = (): string => JSON.stringify([...plane.workers.objects.values()])
  await stage.apply(route('kept', 'body-valid'))
  await until('it runs by way of b', 10_000, () => (objects().includes('body-valid') ? 'y' : null))
  await stage.apply(route('kept', 'body-invalid').replace('"/kept"', '"/kept","when":"nonsense("'))
  await stage.says('shop/apiroutes/kept', 'Accepted', 'False InvalidExpression')
  assert.equal(
    await stage.kubectl(['-n', 'shop', 'get', 'lastvalids', '-o', 'name']),
    'lastvalid.fairlead.dev/apiroute.kept\n',
  )
  const writes = (await stage.cluster.audit()).filter(
    ({ resource, verb }) => resource === 'lastvalids' && verb === 'patch',
  )
  assert.equal(writes.length, 1)
  assert.ok(objects().includes('body-valid') && !objects().includes('body-invalid'))
  await removeObject(stage.cluster.api, 'shop/apiroutes/kept')
  await until('it is forgotten', 10_000, async () =>
    (await stage.kubectl(['-n', 'shop', 'get', 'lastvalids', '-o', 'name'])) === '' ? 'y' : null,
  )
  await plane.close()
})

test('a controller that is behind takes no data plane back', async () => {
  const { stage, proxyB, a, b } = await starting
  const plane = await startPlaneHere(stage, { pod: 'plane-a', ports: [b.port, a.port] })
  const text = (): string => JSON.stringify([...plane.workers.objects.values()])
  await until('it runs what there is', 10_000, () => (text().includes('body-1') ? 'yes' : null))
  // From now on b sees nothing of what happens, and nobody tells it.
  for (const watch of proxyB.watches) watch.stall()
  await stage.apply(route('one', 'body-2'))
  await plane.close()
  const ahead = await startPlaneHere(stage, {
    pod: 'plane-a',
    ports: [a.port],
    state: `${stage.cluster.folder}/ahead`,
  })
  const seen = (): string => JSON.stringify([...ahead.workers.objects.values()])
  await until('it runs the newest', 10_000, () => (seen().includes('body-2') ? 'yes' : null))
  await ahead.close()

  const torn = await startPlaneHere(stage, {
    pod: 'plane-a',
    ports: [b.port],
    state: `${stage.cluster.folder}/ahead`,
  })
  const runs = (): string => JSON.stringify([...torn.workers.objects.values()])
  await until('b was asked and found behind', 10_000, () =>
    torn.lines.find(({ message }) => /it is behind in ApiRoute/.test(message)),
  ).catch((error: unknown) => {
    throw new Error(JSON.stringify(torn.lines.map(({ message }) => message)), { cause: error })
  })
  await throughout(2_000, () => {
    assert.ok(runs().includes('body-2') && !runs().includes('body-1'), 'the newest goes on')
  })
  // It was told that there is more, and has read it although its watches still stand.
  await until('b has caught up, and serves it', 15_000, () =>
    torn.sync.state().stream === 'up' ? 'yes' : null,
  )
  assert.ok(runs().includes('body-2'))
  assert.ok(torn.workers.objects.has(objectId('gateway', `${SYSTEM}/default`)))
  await torn.close()
})

test('a leader that is cut off stops writing, and another leads', async () => {
  const { stage, proxyA, proxyB, a, b } = await starting
  proxyA.faults = () => ({ kind: 'cut' })
  proxyA.cutEverything()
  const cutMs = performance.now()
  await until('b leads', 25_000, () => (says(b.lines, 'leads') ? 'yes' : null))
  const tookMs = performance.now() - cutMs
  assert.ok(says(a.lines, 'follows'), 'a had stopped before')
  assert.ok(tookMs < 20_000, `${Math.round(tookMs)} ms`)
  const before = statusWrites(proxyA)
  proxyA.faults = () => null
  await stage.apply(route('two', 'body-3'))
  await until('b writes', 10_000, () => stage.condition('shop/apiroutes/two', 'Accepted'))
  assert.equal(statusWrites(proxyA), before, 'a is back, and does not write')
  assert.ok(statusWrites(proxyB) > 0)
})

test('a second controller leads once the first is gone', async () => {
  const { stage, a, b } = await starting
  await b.close()
  const closedMs = performance.now()
  await until('a leads again', 10_000, () => (says(a.lines, 'leads') ? 'yes' : null))
  assert.ok(performance.now() - closedMs < 5_000, 'a lease that was given back is taken at once')
  const lease: unknown = JSON.parse(
    await stage.kubectl(['-n', SYSTEM, 'get', 'lease', 'fairlead-controller', '-o', 'json']),
  )
  assert.match(JSON.stringify(lease), /"holderIdentity":"a"/)
})
