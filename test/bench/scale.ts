/**
 * 10,000 routes of three rules: time of compile, push and swap, and the memory of both programs.
 */
import { fork } from 'node:child_process'
import { createCompiler } from '../../controller/compile/compile.ts'
import { certificate, fingerprint, sha256 } from '../../controller/push/encode.ts'
import { ingest } from '../../controller/watch/ingest.ts'
import { createStore } from '../../controller/watch/store.ts'
import { median, round, table } from './figures.ts'

const ROUTES = 10_000
const EDITS = 50

export function routeOf(i: number, body: string) {
  const rules = ['a', 'b', 'c'].map((name) => ({
    name,
    public: true,
    match: [{ method: 'GET', path: `/r${i}/${name}` }],
    responseHeaders: { set: [{ name: 'x-route', value: `r${i}` }] },
    respond: { status: 200, body },
  }))
  return ingest('ApiRoute', {
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiRoute',
    metadata: {
      name: `r${i}`,
      namespace: `team-${i % 50}`,
      uid: `uid-${i}`,
      generation: Number(body.slice(1)) + 1,
      resourceVersion: `${i}-${body}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { hosts: [`h${i % 500}.team-${i % 50}.example.com`], rules },
  })
}

export async function scale(): Promise<readonly string[]> {
  const compiled = compileFigures()
  const whole = await inChild()
  return [
    `${ROUTES} routes × 3 rules over 500 hosts and 50 namespaces; medians of ${EDITS} single-route edits.`,
    '',
    ...table(
      ['step', 'ms'],
      [
        ['compile, first', round(compiled.firstMs)],
        ['compile, one route edited', round(compiled.editMs)],
        [
          'start to acknowledged by the data plane (compile, push, swap in 2 workers)',
          round(whole.firstMs),
        ],
        ['one route edited: compile, push, swap, acknowledged', round(whole.editMs)],
      ],
    ),
    '',
    ...table(
      ['memory', 'MiB'],
      [
        ['controller after compile (process)', compiled.residentMib],
        ['controller and data plane with 2 workers (one process)', whole.residentMib],
      ],
    ),
    '',
    verdict(compiled.residentMib, whole.firstMs),
  ]
}

const ACKNOWLEDGED_GOAL_S = 10
const CONTROLLER_GOAL_MIB = 500

function verdict(controllerMib: number, firstMs: number): string {
  const missed = (figure: number, goal: number): string => (figure <= goal ? '' : ', missed')
  const seconds = firstMs / 1000
  return (
    `Verdict: acknowledged after ${round(seconds)} s (goal ${ACKNOWLEDGED_GOAL_S}${missed(seconds, ACKNOWLEDGED_GOAL_S)}), ` +
    `controller ${controllerMib} MiB (goal ${CONTROLLER_GOAL_MIB}${missed(controllerMib, CONTROLLER_GOAL_MIB)}).`
  )
}

interface CompileFigures {
  readonly firstMs: number
  readonly editMs: number
  readonly residentMib: number
}

function compileFigures(): CompileFigures {
  const store = createStore(() => ({ defaultGateway: 'fl/default', unresolvedServices: 'problem' }))
  store.put(
    ingest('ApiGateway', {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: 'ApiGateway',
      metadata: { namespace: 'fl', name: 'default', uid: 'gateway' },
      spec: { dataPlanes: { serviceAccount: 'fl', service: 'fl' } },
    }),
  )
  for (let i = 0; i < ROUTES; i += 1) store.put(routeOf(i, 'v0'))
  const compiler = createCompiler({ sha256, fingerprint, certificate })
  let remembered = new Map() as ReturnType<typeof compiler.compile>['remembered']
  const once = (): number => {
    const startedMs = performance.now()
    remembered = compiler.compile(store.snapshot(remembered)).remembered
    return performance.now() - startedMs
  }
  const firstMs = once()
  const edits = Array.from({ length: EDITS }, (_, n) => {
    store.put(routeOf((n * 7919) % ROUTES, `v${n + 1}`))
    return once()
  })
  const residentMib = Math.round(process.memoryUsage().rss / 2 ** 20)
  return { firstMs, editMs: median(edits), residentMib }
}

interface WholeFigures {
  readonly firstMs: number
  readonly editMs: number
  readonly residentMib: number
}

/** A process of its own, so that its memory is its own. */
function inChild(): Promise<WholeFigures> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('scale-child.ts', import.meta.url), [String(ROUTES), String(EDITS)])
    child.once('message', (figures) => resolve(figures as WholeFigures))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the measured process ended with ${code}`)))
  })
}
