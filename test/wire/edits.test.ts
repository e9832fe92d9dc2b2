/**
 * Random histories through real sessions: tables and endpoints change, workers fail, data planes
 * restart; in the end every data plane holds exactly what was offered last.
 */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import type { CompiledTable } from '../../controller/compile/compiled.ts'
import { endpointsOf } from '../../controller/compile/endpoints.ts'
import type { Push } from '../../controller/push/push.ts'
import { objectId } from '#wire/table'
import type { TableObject } from '#wire/table'
import { GATEWAY, SAMPLES, tableObject } from './samples.ts'
import { compiled, reads, until, wireTest } from './world.ts'
import type { Plane, World } from './world.ts'

/** Rule → the text of its answer; each has a backend of its own and is named by one host. */
type Model = Readonly<Record<string, string>>

function objectsOf(model: Model): readonly TableObject[] {
  const [gateway] = SAMPLES
  const names = Object.keys(model).toSorted()
  const host = tableObject('host', '*', {
    namespace: 'a',
    entries: names.map((name) => ({ rule: `a/r/${name}`, match: 0 })),
  })
  const secret = tableObject('secret', 'a/s:k', {
    base64: Buffer.from(JSON.stringify(model)).toString('base64'),
  })
  const perRule = names.flatMap((name) => [rule(name, model[name] ?? ''), backend(name)])
  return [...(gateway === undefined ? [] : [gateway]), secret, ...perRule, host]
}

function backend(name: string): TableObject {
  return tableObject('backend', `a/${name}:80`, { protocol: 'http', clusterAddress: null })
}

function rule(name: string, text: string): TableObject {
  const path = { kind: 'any' } as const
  return tableObject('rule', `a/r/${name}`, {
    route: 'a/r',
    name,
    matches: [{ method: null, path, headers: [], queryParams: [], when: text }],
    auth: { kind: 'open' },
    limits: [],
    rewrite: null,
    requestHeaders: null,
    responseHeaders: null,
    totalTimeoutMs: 1_000,
    action: {
      kind: 'proxy',
      backends: [{ when: null, weight: 1, to: { kind: 'backend', backend: `a/${name}:80` } }],
    },
  })
}

type Step =
  | { readonly kind: 'edit'; readonly model: Model }
  | { readonly kind: 'endpoints'; readonly of: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'restart'; readonly plane: number }
  | { readonly kind: 'bug'; readonly plane: number; readonly bug: string | null }
  | { readonly kind: 'turn' }

const names = fc.constantFrom('p', 'q', 'r', 's')
const plane = fc.integer({ min: 0, max: 1 })
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('edit'),
      model: fc.dictionary(names, fc.constantFrom('x', 'y', 'z')),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('endpoints'),
      of: fc.dictionary(
        names.map((name) => `a/${name}:80`),
        fc.subarray(['10.0.0.1', '10.0.0.2']),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart'), plane }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('bug'), plane, bug: fc.constantFrom('a bug', null) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('turn') }) },
)

/** What was offered last, and the data planes that should come to hold it. */
interface History {
  readonly world: World
  readonly push: Push
  readonly planes: Plane[]
  readonly folder: string
  table: CompiledTable | null
  basis: number
  now: ReturnType<typeof reads>
}

async function start(history: History, at: number): Promise<void> {
  const { world, push, planes, folder } = history
  const name = `plane-${at}`
  planes[at] = await world.sync([push], { name, state: join(folder, name) })
}

async function take(history: History, step: Step): Promise<void> {
  const { push, planes } = history
  switch (step.kind) {
    case 'edit':
      return edit(history, step.model)
    case 'endpoints':
      history.now = reads(step.of)
      return push.endpoints(history.now)
    case 'restart':
      await planes[step.plane]?.sync.close()
      return start(history, step.plane)
    case 'bug': {
      const workers = planes[step.plane]?.workers
      if (workers !== undefined) workers.bug = step.bug
      return undefined
    }
    case 'turn':
      await new Promise((resolve) => setImmediate(resolve))
      return undefined
    default:
      return step satisfies never
  }
}

function edit(history: History, model: Model): void {
  history.table = compiled(objectsOf(model), history.table)
  history.basis += 1
  history.push.offer({
    tables: new Map([[GATEWAY, history.table]]),
    basis: { ApiRoute: String(history.basis) },
  })
}

function holds({ sync, workers }: Plane, { table }: History): boolean {
  return sync.state().hash === table?.hash && workers.objects.size === table.objects.size
}

/** Everything of a data plane that should follow from what was offered. */
function compare({ sync, workers }: Plane, objects: readonly TableObject[]): void {
  const expected = new Map(objects.map((object) => [objectId(object.kind, object.key), object]))
  assert.deepEqual(workers.objects, expected)
  assert.deepEqual(new Map(sync.state().objects), expected)
  const backends = objects.filter(({ kind }) => kind === 'backend').map(({ key }) => key)
  assert.deepEqual([...sync.state().endpoints.keys()].toSorted(), backends.toSorted())
}

wireTest('any sequence of edits ends with the same table on the other side', async (world) => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25 }), async (sequence) => {
      run += 1
      const push = await world.push({ timings: { pingEveryMs: 5, commitEveryMs: 1 } })
      const folder = join(world.folder, `run-${run}`)
      await mkdir(folder)
      const now = reads({})
      const history: History = { world, push, planes: [], folder, table: null, basis: 0, now }
      edit(history, { p: 'x' })
      await start(history, 0)
      await start(history, 1)
      for (const step of sequence) await take(history, step)
      for (const { workers } of history.planes) workers.bug = null
      const last = { p: 'last', q: 'last' }
      edit(history, last)
      await until('both hold it', () => history.planes.every((one) => holds(one, history)))
      for (const one of history.planes) {
        await until('and its endpoints', () => sameEndpoints(one, history))
        compare(one, objectsOf(last))
        await one.sync.close()
      }
      await push.close()
    }),
    { numRuns: 25 },
  )
})

/** Of every backend of the table. Those of a swap that failed may still lie about. */
function sameEndpoints({ sync, workers }: Plane, history: History): boolean {
  return [...sync.state().endpoints.keys()].every((key) => {
    const wanted = JSON.stringify(endpointsOf(key, history.now))
    return JSON.stringify(workers.sets.get(key)) === wanted
  })
}
