/**
 * A watch that breaks in any way: nothing is lost, nothing is read twice, nobody is flooded.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createKubeClient, type KubeClient } from '../../controller/kube/client.ts'
import { loadCredentials } from '../../controller/kube/credentials.ts'
import { textAt } from '../../controller/kube/fields.ts'
import { type Reflector, startReflector } from '../../controller/watch/reflector.ts'
import { startCluster } from './cluster.ts'
import { type FaultProxy, startFaultProxy, statusBody } from './fault-proxy.ts'
import { applyAll, pathOf, removeObject } from './objects.ts'
import { installKinds } from './stage.ts'
import { throughout, until } from './until.ts'

const PATH = '/apis/fairlead.dev/v1alpha1/consumers'
const ending = { after }
const starting = (async () => {
  const cluster = await startCluster(ending)
  await installKinds(cluster)
  const proxy = await startFaultProxy(ending, cluster)
  const credentials = await loadCredentials(await proxy.kubeconfig(cluster.kubeconfig))
  const client = createKubeClient(credentials)
  after(() => client.close())
  const followed = follow(client)
  await until('it has listed', 10_000, () => (followed.lists > 0 ? 'yes' : null))
  return { cluster, proxy, credentials, client, followed }
})()

/** What a reflector knows, in the plainest form. */
interface Followed {
  readonly names: Set<string>
  readonly colours: Map<string, string>
  lists: number
  failures: number
  version: string
  readonly reflector: Reflector
}

function follow(client: KubeClient): Followed {
  const names = new Set<string>()
  const colours = new Map<string, string>()
  const take = (object: unknown): void => {
    const name = textAt(object, 'metadata', 'name') ?? ''
    names.add(name)
    colours.set(name, textAt(object, 'spec', 'displayName') ?? '')
  }
  const reflector = startReflector({
    client,
    path: PATH,
    whenUnknown: 'fail',
    log: { info() {}, warn() {}, error() {} },
    random: Math.random,
    now: () => performance.now(),
    wait: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
    sink: {
      replace(objects, version) {
        followed.lists += 1
        names.clear()
        for (const object of objects) take(object)
        followed.version = version
      },
      put(object, version) {
        take(object)
        followed.version = version
      },
      drop(object, version) {
        names.delete(textAt(object, 'metadata', 'name') ?? '')
        followed.version = version
      },
      bookmark(version) {
        followed.version = version
      },
      failed() {
        followed.failures += 1
      },
    },
  })
  after(() => reflector.stop())
  const followed: Followed = { names, colours, lists: 0, failures: 0, version: '', reflector }
  return followed
}

function consumer(name: string, displayName = name): string {
  return JSON.stringify({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'Consumer',
    metadata: { name, namespace: 'default' },
    spec: { displayName },
  })
}

async function add(name: string, displayName = name): Promise<void> {
  await applyAll((await starting).cluster.api, consumer(name, displayName))
}

async function becomes(what: string, look: (followed: Followed) => unknown): Promise<void> {
  const { followed } = await starting
  await until(what, 15_000, () => (look(followed) === true ? 'yes' : null))
}

/** Everything that was asked since, of the kind that is followed. */
function askedSince(proxy: FaultProxy, count: number, kind: 'list' | 'watch'): number {
  return proxy.seen.slice(count).filter((asked) => asked.path === PATH && asked.kind === kind)
    .length
}

async function untilWatching(): Promise<void> {
  const { proxy } = await starting
  await until('a watch is open', 15_000, () => (proxy.watches.length === 1 ? 'yes' : null))
}

test('a watch that breaks resumes from the last version seen', async () => {
  const { proxy, followed } = await starting
  await untilWatching()
  await add('one')
  await becomes('one is there', ({ names }) => names.has('one'))
  const { lists } = followed
  for (const how of ['tear', 'end'] as const) {
    await untilWatching()
    const reached = followed.version
    proxy.watches[0]?.[how]()
    await add(`after-${how}`)
    await becomes('what came meanwhile', ({ names }) => names.has(`after-${how}`))
    const last = proxy.seen.findLast(({ kind }) => kind === 'watch')
    assert.equal(last?.query.get('resourceVersion'), reached)
  }
  assert.equal(followed.lists, lists, 'and nothing was listed anew')
})

test('a watch that ends again and again is neither listed anew nor asked for in a loop', async () => {
  const { proxy, followed } = await starting
  const before = proxy.seen.length
  const { lists } = followed
  await throughout(3_000, () => proxy.watches[0]?.end())
  assert.equal(followed.lists, lists)
  const watches = askedSince(proxy, before, 'watch')
  assert.ok(watches >= 2 && watches <= 8, `${watches} watches in 3 s`)
  await add('at-last')
  await becomes('it has caught up', ({ names }) => names.has('at-last'))
})

test('a version that is forgotten leads to a list, and to the deletions that were missed', async () => {
  const { cluster, proxy, followed } = await starting
  for (const name of ['gone-by-status', 'gone-in-stream']) await add(name)
  await becomes('both are there', ({ names }) => names.has('gone-in-stream'))
  const { lists } = followed

  await untilWatching()
  proxy.faults = ({ kind }) => (kind === 'watch' ? { kind: 'stall' } : null)
  proxy.watches[0]?.tear()
  await removeObject(cluster.api, 'default/consumers/gone-by-status')
  proxy.faults = once('watch', { kind: 'answer', status: 410, body: statusBody(410, 'Expired') })
  proxy.cutEverything()
  await becomes('the first deletion', ({ names }) => !names.has('gone-by-status'))
  assert.equal(followed.lists, lists + 1)

  await untilWatching()
  proxy.watches[0]?.stall()
  await removeObject(cluster.api, 'default/consumers/gone-in-stream')
  const error = { type: 'ERROR', object: JSON.parse(statusBody(410, 'Expired')) }
  proxy.watches[0]?.inject(JSON.stringify(error))
  await becomes('the second deletion', ({ names }) => !names.has('gone-in-stream'))
  assert.equal(followed.lists, lists + 2)
})

/** For the first request of that kind from now on. */
function once(
  kind: 'watch' | 'list',
  fault: NonNullable<ReturnType<FaultProxy['faults']>>,
): FaultProxy['faults'] {
  let done = 0
  return (asked) => {
    if (asked.kind !== kind) return null
    done += 1
    return done === 1 ? fault : null
  }
}

test('more than a page of objects is read page by page, and anew where a page is gone', async () => {
  const { cluster, proxy, client } = await starting
  const names = Array.from({ length: 620 }, (_, i) => `many-${i}`)
  const left = [...names]
  const create = async (): Promise<void> => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      const body: unknown = JSON.parse(consumer(name))
      const { status } = await cluster.api.request({ method: 'POST', path: pathOf(body), body })
      assert.equal(status, 201)
    }
  }
  await Promise.all(Array.from({ length: 12 }, create))
  await becomes('the watch brings them all', (followed) =>
    names.every((name) => followed.names.has(name)),
  )
  const before = proxy.seen.length
  let refused = 0
  proxy.faults = ({ query }) => {
    if (!query.has('continue') || refused > 0) return null
    refused += 1
    return { kind: 'answer', status: 410, body: statusBody(410, 'Expired') }
  }
  const second = follow(client)
  await until('all are listed', 15_000, () => (second.lists > 0 ? 'yes' : null))
  proxy.faults = () => null
  assert.equal(refused, 1)
  assert.ok(names.every((name) => second.names.has(name)))
  assert.equal(askedSince(proxy, before, 'list'), 4, 'two pages, twice')
  assert.equal(second.failures, 0)
  second.reflector.stop()
  await until('its watch is closed', 5_000, () => (proxy.watches.length === 1 ? 'yes' : null))
})

test('a bookmark is where the next watch goes on', async () => {
  const { proxy } = await starting
  await untilWatching()
  const bookmark = { kind: 'Consumer', metadata: { resourceVersion: '999999' } }
  proxy.watches[0]?.inject(JSON.stringify({ type: 'BOOKMARK', object: bookmark }))
  await becomes('the bookmark counts', ({ version }) => version === '999999')
  proxy.faults = ({ kind }) => (kind === 'watch' ? { kind: 'cut' } : null)
  proxy.watches[0]?.end()
  await until('it asks from there', 5_000, () => {
    const last = proxy.seen.findLast(({ kind }) => kind === 'watch')
    return last?.query.get('resourceVersion') === '999999' ? 'yes' : null
  })
  // No such version has happened yet, which the API server says; then all is read anew.
  proxy.faults = once('watch', { kind: 'answer', status: 410, body: statusBody(410, 'Expired') })
  await becomes('it is back', ({ version }) => version !== '999999' && version !== '')
})

test('what is no event ends the watch, and what came before it counts', async () => {
  const { proxy, followed } = await starting
  const { lists } = followed
  const wrong = [
    'this is no JSON',
    '{"type":"MODIFIED"}',
    '{"type":"MODIFIED","object":{"kind":"Consumer","metadata":{"name":"x"}}}',
    '{"type":"SOMETHING","object":{"metadata":{"resourceVersion":"1"}}}',
    '[]',
  ]
  for (const [i, line] of wrong.entries()) {
    await untilWatching()
    const watch = proxy.watches[0]
    watch?.inject(line)
    await until('it has left', 10_000, () => (proxy.watches[0] === watch ? null : 'yes'))
    await add(`after-wrong-${i}`)
    await becomes('it goes on', ({ names }) => names.has(`after-wrong-${i}`))
  }
  assert.equal(followed.lists, lists)
  assert.ok(!followed.names.has('x'))
})

test('a storm of failures is answered with patience, and Retry-After is obeyed', async () => {
  const { proxy } = await starting
  for (const [status, headers] of [
    [500, {}],
    [429, { 'retry-after': '2' }],
    [401, {}],
  ] as const) {
    await untilWatching()
    const before = proxy.seen.length
    proxy.faults = () => ({ kind: 'answer', status, headers, body: statusBody(status) })
    proxy.watches[0]?.tear()
    await throughout(3_000, () => undefined)
    const asked = proxy.seen.length - before
    assert.ok(asked >= 1 && asked <= (status === 429 ? 2 : 6), `${status}: ${asked} in 3 s`)
    proxy.faults = () => null
    await add(`after-${status}`)
    await becomes('it goes on', ({ names }) => names.has(`after-${status}`))
  }
})

test('a connection that is silent for too long is left', async () => {
  const { proxy, credentials, followed } = await starting
  followed.reflector.stop()
  await until('no watch is open', 5_000, () => (proxy.watches.length === 0 ? 'yes' : null))
  const impatient = createKubeClient(credentials, { watchSilenceMs: 1_000 })
  after(() => impatient.close())
  const second = follow(impatient)
  await untilWatching()
  const watch = proxy.watches[0]
  watch?.stall()
  await add('in-silence')
  await until('it has noticed', 10_000, () => (second.names.has('in-silence') ? 'yes' : null))
  assert.ok(proxy.watches[0] !== watch)
})
