/**
 * Promises of apply.ts: frames in, calls of the workers and replies out, without a socket.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GATEWAY, SAMPLES, tableObject } from '../../test/wire/samples.ts'
import { PlainWorkers, listLog } from '../../test/wire/world.ts'
import { EMPTY_HASH, endpointsText, xorOf } from '#wire/digest'
import { TABLE_BYTES_MAX } from '#wire/limits'
import type { DownFrame, EndpointSet, Rejection } from '#wire/session'
import type { TableObject } from '#wire/table'
import { hash as sha } from 'node:crypto'
import { Apply } from './apply.ts'
import type { Reply } from './apply.ts'
import { createHeldEndpoints } from './endpoints.ts'
import { createHeld } from './held.ts'

const BOOKS = 'shop/books:80'

interface Bench {
  readonly workers: PlainWorkers
  readonly held: ReturnType<typeof createHeld>
  readonly endpoints: ReturnType<typeof createHeldEndpoints>
  readonly apply: Apply
  /** The last reply to these frames. */
  readonly take: (...frames: readonly DownFrame[]) => Promise<Reply>
}

function bench(): Bench {
  const workers = new PlainWorkers()
  const held = createHeld()
  const endpoints = createHeldEndpoints()
  const nothing = (): void => undefined
  const on = { hello: nothing, committed: nothing, refused: nothing, endpoints: nothing }
  const apply = new Apply({ held, endpoints, workers, log: listLog(), on })
  return {
    workers,
    held,
    endpoints,
    apply,
    async take(...frames) {
      let reply: Reply = { kind: 'nothing' }
      for (const frame of frames) reply = await apply.take({ kind: 'frame', frame, bytes: 100 })
      return reply
    },
  }
}

function hello(basis: Readonly<Record<string, string>> = {}, controller = 'c'): DownFrame {
  return { type: 'hello', version: 1, gateway: GATEWAY, controller, epoch: '0', basis }
}
const BEGIN: DownFrame = { type: 'begin', from: { kind: 'snapshot' } }
function put(object: TableObject): DownFrame {
  return { type: 'put', object }
}
function set(version: number, address: string, backend = BOOKS): EndpointSet {
  return { backend, version, endpoints: [{ address, port: 8080, zone: null }] }
}
function bring(one: EndpointSet): DownFrame {
  return { type: 'endpoints', set: one }
}
function commit(objects: readonly TableObject[], basis = '1'): DownFrame {
  const hash = xorOf(objects.map(({ digest }) => digest))
  return { type: 'commit', basis: { ApiRoute: basis }, hash, trace: null }
}
function snapshot(objects: readonly TableObject[], sets: readonly EndpointSet[]): DownFrame[] {
  return [BEGIN, ...objects.map(put), ...sets.map(bring), commit(objects)]
}

/** With the samples running. */
async function running(): Promise<Bench> {
  const world = bench()
  const reply = await world.take(hello(), ...snapshot(SAMPLES, [set(1, '10.0.0.1')]))
  assert.ok(reply.kind === 'say' && reply.frame.type === 'ack', JSON.stringify(reply))
  return world
}

function reasonOf(reply: Reply): string {
  if (reply.kind === 'end') return reply.because
  return reply.kind === 'say' && reply.frame.type === 'refuse' ? reply.frame.reason : reply.kind
}

const ACME = SAMPLES.find(({ kind }) => kind === 'consumer')
function changed(): TableObject {
  assert.ok(ACME?.kind === 'consumer')
  return tableObject('consumer', ACME.key, { ...ACME.value, displayName: 'B' })
}
function tampered(): TableObject {
  assert.ok(ACME?.kind === 'consumer')
  return { ...ACME, value: { ...ACME.value, state: 'Suspended' } }
}
const AFTER = SAMPLES.map((object) => (object === ACME ? changed() : object))
const DELTA: DownFrame = {
  type: 'begin',
  from: { kind: 'delta', hash: xorOf(SAMPLES.map(({ digest }) => digest)) },
}
const OTHER = tableObject('backend', 'shop/new:80', { protocol: 'http', clusterAddress: null })
const FOREIGN = tableObject('gateway', 'a/b', {
  trustedProxies: [],
  egressAllow: [],
  dataPlanes: 1,
})

const REFUSED: readonly (readonly [string, RegExp, readonly DownFrame[]])[] = [
  ['a digest that does not fit', /digest of consumer/, [DELTA, put(tampered()), commit(SAMPLES)]],
  ['a hash that does not fit', /its hash/, [DELTA, put(changed()), commit(SAMPLES)]],
  ['an object twice', /twice/, [DELTA, put(changed()), put(changed()), commit(AFTER)]],
  [
    'a drop of what does not run',
    /does not run/,
    [DELTA, { type: 'drop', kind: 'rule', key: 'a/b/c' }, commit(SAMPLES)],
  ],
  [
    'a backend without endpoints',
    /endpoints of backend "shop\/new:80" did not come/,
    [DELTA, put(OTHER), commit([...SAMPLES, OTHER])],
  ],
  [
    'a dangling reference',
    /names backend/,
    [
      DELTA,
      { type: 'drop', kind: 'backend', key: BOOKS },
      commit(SAMPLES.filter(({ kind }) => kind !== 'backend')),
    ],
  ],
  ['the table of another gateway', /of gateway "a\/b"/, [BEGIN, put(FOREIGN), commit([FOREIGN])]],
]

test('a push that cannot be accepted leaves everything as it was', async () => {
  for (const [what, reason, frames] of REFUSED) {
    const { take, workers, held } = await running()
    const before = { objects: new Map(held.objects), hash: held.hash, reached: held.reached }
    const reply = await take(...frames)
    assert.match(reasonOf(reply), reason, what)
    assert.equal(workers.changes.length, 1, what)
    assert.deepEqual(
      { objects: held.objects, hash: held.hash, reached: held.reached },
      before,
      what,
    )
    const healed = await take(DELTA, put(changed()), commit(AFTER))
    assert.ok(healed.kind === 'say' && healed.frame.type === 'ack', what)
  }
})

const BROKEN: readonly (readonly [RegExp, readonly DownFrame[]])[] = [
  [/hello twice/, [hello()]],
  [/outside of a push/, [put(changed())]],
  [/commit without a push/, [commit(SAMPLES)]],
  [/push within a push/, [DELTA, DELTA]],
  [/ping within a push/, [DELTA, { type: 'ping', hash: EMPTY_HASH, endpointsHash: EMPTY_HASH }]],
  [/does not run here/, [{ type: 'begin', from: { kind: 'delta', hash: EMPTY_HASH } }]],
  [/no commit has named/, [bring(set(1, '10.0.0.1', 'a/unknown:80'))]],
  [/its table is not/, [{ type: 'ping', hash: EMPTY_HASH, endpointsHash: EMPTY_HASH }]],
]

test('frames out of their order end the stream, and change nothing', async () => {
  for (const [reason, frames] of BROKEN) {
    const { take, held, workers } = await running()
    const { hash } = held
    const reply = await take(...frames)
    assert.equal(reply.kind, 'end')
    assert.match(reasonOf(reply), reason)
    assert.equal(held.hash, hash)
    assert.equal(workers.changes.length, 1)
  }
})

test('a frame that cannot be read makes its push be refused, and outside of one ends the stream', async () => {
  const { take, apply, held } = await running()
  await take(DELTA)
  const nothing = await apply.take({ kind: 'unreadable', because: 'has a kind that is unknown' })
  assert.equal(nothing.kind, 'nothing')
  assert.match(reasonOf(await take(commit(AFTER))), /frame that has a kind that is unknown/)
  assert.notEqual(held.hash, null)
  const end = await apply.take({ kind: 'unreadable', because: 'is not JSON' })
  assert.equal(end.kind, 'end')
})

test('a table beyond the limit is refused, and nothing of it is kept meanwhile', async () => {
  const { take, apply } = await running()
  await take(DELTA)
  await apply.take({ kind: 'frame', frame: put(changed()), bytes: TABLE_BYTES_MAX + 1 })
  assert.match(reasonOf(await take(commit(AFTER))), /longer than/)
})

test('a basis that is behind in any type is refused, in hello and in a commit', async () => {
  const first = await running()
  assert.deepEqual(await first.take(DELTA, put(changed()), commit(AFTER, '0')), {
    kind: 'end',
    because: 'it is behind in ApiRoute',
    next: 'elsewhere',
  })
  first.apply.resume('me')
  const again = await first.take(hello({ ApiRoute: '0' }))
  assert.deepEqual([again.kind, reasonOf(again)], ['end', 'it is behind in ApiRoute'])
  first.apply.resume('me')
  assert.equal((await first.take(hello({ ApiRoute: '1' }))).kind, 'nothing')
})

test('it resumes with what runs, and nothing half-done', async () => {
  const { take, apply, held } = await running()
  await take(DELTA, put(changed()))
  assert.deepEqual(apply.resume('me'), {
    type: 'resume',
    version: 1,
    dataPlane: 'me',
    epoch: '0',
    basis: { ApiRoute: '1' },
    hash: held.hash,
  })
  const reply = await take(hello({ ApiRoute: '1' }), ...snapshot(AFTER, [set(2, '10.0.0.2')]))
  assert.ok(reply.kind === 'say' && reply.frame.type === 'ack')
})

test('of two sets of one backend the newer stays, whatever came first', async () => {
  const { take, workers } = await running()
  const addresses = () => workers.sets.get(BOOKS)?.map(({ address }) => address)
  await take(bring(set(5, '10.0.0.5')))
  await take(bring(set(4, '10.0.0.4')))
  assert.deepEqual(addresses(), ['10.0.0.5'])
  await take(bring(set(6, '10.0.0.6')))
  assert.deepEqual(addresses(), ['10.0.0.6'])
})

test('another controller counts anew, and the same one goes on counting', async () => {
  const { take, apply, workers } = await running()
  const addresses = () => workers.sets.get(BOOKS)?.map(({ address }) => address)
  await take(bring(set(9, '10.0.0.9')))
  apply.resume('me')
  await take(hello({ ApiRoute: '1' }, 'c'), DELTA, bring(set(8, '10.0.0.8')), commit(SAMPLES))
  assert.deepEqual(addresses(), ['10.0.0.9'])
  apply.resume('me')
  await take(hello({ ApiRoute: '1' }, 'd'), DELTA, bring(set(1, '10.0.0.1')), commit(SAMPLES))
  assert.deepEqual(addresses(), ['10.0.0.1'])
})

test('both ends agree on the endpoints of a stream, after a refusal too', async () => {
  const { take, held } = await running()
  const digest = (one: EndpointSet): string => sha('sha256', endpointsText(one), 'hex')
  const ping = (sets: readonly EndpointSet[]): DownFrame => ({
    type: 'ping',
    hash: held.hash ?? EMPTY_HASH,
    endpointsHash: xorOf(sets.map(digest)),
  })
  const books = set(1, '10.0.0.1')
  const newer = set(2, '10.0.0.2')
  const added = set(3, '10.0.0.3', OTHER.key)
  assert.equal((await take(ping([books]))).kind, 'nothing')
  // Refused: the endpoints of the backend that runs hold, those of the new one go with the push.
  await take(DELTA, put(OTHER), bring(newer), bring(added), commit(SAMPLES))
  await take(DELTA, commit(SAMPLES))
  assert.equal((await take(ping([newer]))).kind, 'nothing')
  await take(DELTA, put(OTHER), bring(added), commit([...SAMPLES, OTHER]))
  assert.equal((await take(ping([newer, added]))).kind, 'nothing')
  assert.equal((await take(ping([newer]))).kind, 'end')
})

test('an acknowledgement comes after the swap, with all that is rejected, cut to one frame', async () => {
  const { take, workers } = await running()
  const gate = Promise.withResolvers<void>()
  workers.gate = gate.promise
  const sources = Array.from({ length: 100 }, () => ({
    kind: 'ApiRoute',
    name: 'a/b',
    uid: 'u',
    generation: 1,
  }))
  const one: Rejection = { kind: 'rule', key: 'a/b/c', sources, reason: 'x'.repeat(5_000) }
  workers.rejects = Array.from({ length: 1_000 }, () => one)
  const replying = take(DELTA, put(changed()), commit(AFTER))
  let replied = 'no'
  void replying.then(() => (replied = 'yes'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(replied, 'no')
  gate.resolve()
  const reply = await replying
  assert.ok(reply.kind === 'say' && reply.frame.type === 'ack')
  assert.equal(reply.frame.rejected.length, 500)
  assert.ok(JSON.stringify(reply.frame).length < 1024 * 1024)
})
