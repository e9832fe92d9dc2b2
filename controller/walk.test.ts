/**
 * Promises of walk.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Compiled } from './compile/compiled.ts'
import type { Snapshot } from './compile/snapshot.ts'
import type { Logger } from './log.ts'
import { startWalk } from './walk.ts'
import { ingest } from './watch/ingest.ts'
import type { LastValidMemory } from './watch/last-valid.ts'
import { createStore } from './watch/store.ts'

const silent: Logger = { info() {}, warn() {}, error() {} }
const forgetful: LastValidMemory = {
  remembered: () => new Map(),
  keep: () => Promise.resolve(),
  forget: () => Promise.resolve(),
}

function routes(snapshot: Snapshot): string {
  return [...(snapshot.kinds.ApiRoute.get('a')?.keys() ?? [])].join()
}

function nothing(): Compiled {
  return { tables: new Map(), verdicts: new Map(), remembering: [], remembered: new Map() }
}

interface Walking {
  readonly store: ReturnType<typeof createStore>
  readonly seen: string[]
  readonly steps: string[]
  readonly walk: ReturnType<typeof startWalk>
  readonly put: (name: string) => void
}

function walking(prepare: () => Promise<void>, memory = forgetful): Walking {
  const store = createStore(() => ({ defaultGateway: 'a/b', unresolvedServices: 'sample' }))
  const seen: string[] = []
  const steps: string[] = []
  const walk = startWalk({
    source: { synced: Promise.resolve(), snapshot: (remembered) => store.snapshot(remembered) },
    compile: (snapshot) => {
      seen.push(routes(snapshot))
      if (routes(snapshot).includes('bug')) throw new Error('a bug')
      return nothing()
    },
    memory,
    push: { offer: () => void steps.push('offer'), endpoints: () => void steps.push('endpoints') },
    epochs: () => new Map(),
    prepare,
    compiled: () => void steps.push('compiled'),
    log: silent,
  })
  const put = (name: string): void => {
    store.put(ingest('ApiRoute', { metadata: { namespace: 'a', name, uid: name } }))
    walk.changed()
  }
  return { store, seen, steps, walk, put }
}

test('a change during a compile is not lost', async () => {
  const gate = Promise.withResolvers<void>()
  const { seen, walk, put } = walking(() => gate.promise)
  put('x')
  await new Promise((resolve) => setImmediate(resolve))
  put('y')
  put('z')
  gate.resolve()
  await walk.settled()
  assert.deepEqual(seen, ['x', 'x,y,z'], 'what came meanwhile is taken together')
})

test('endpoints go before the compile and never wait for it', async () => {
  const { steps, walk } = walking(() => Promise.resolve())
  await walk.settled()
  assert.deepEqual(steps, ['endpoints', 'offer', 'compiled'])
})

test('a last valid spec is kept before the table that depends on it is offered', async () => {
  const order: string[] = []
  const memory: LastValidMemory = {
    remembered: () => new Map(),
    keep: async () => void order.push('keep'),
    forget: async () => void order.push('forget'),
  }
  const { steps, walk } = walking(
    async () => void order.push(`prepare after ${steps.join()}`),
    memory,
  )
  await walk.settled()
  assert.deepEqual(order, ['keep', 'prepare after endpoints', 'forget'])
})

test('a bug in one walk leaves what ran before, and the next change tries again', async () => {
  const { steps, store, walk, put } = walking(() => Promise.resolve())
  await walk.settled()
  put('bug')
  await walk.settled()
  assert.equal(steps.filter((step) => step === 'offer').length, 1)
  store.drop('ApiRoute', 'a', 'bug')
  put('fine')
  await walk.settled()
  assert.equal(steps.filter((step) => step === 'offer').length, 2)
})
