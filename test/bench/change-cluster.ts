/**
 * From the API server's answer to an apply to the first request that sees it, with 10, 1,000 and
 * 3,000 routes: a real API server, a controller and a data plane as processes of their own.
 */
import { parse } from 'yaml'
import { successOf } from '../../controller/kube/client.ts'
import {
  type DataPlaneProgram,
  type Stage,
  startControllerProgram,
  startDataPlaneProgram,
  startStage,
} from '../cluster/stage.ts'
import { changeRow, routeText, untilSeen } from './change-folder.ts'
import { table } from './figures.ts'

const SIZES = [10, 1_000, 3_000] as const
const CHANGES = 100
/** Creates at once, while the routes are laid out. */
const AT_ONCE = 16

export async function clusterChange(): Promise<readonly string[]> {
  const ends: (() => Promise<unknown>)[] = []
  const ending = { after: (end: () => Promise<unknown>) => void ends.push(end) }
  try {
    const stage = await startStage(ending)
    await stage.kubectl(['create', 'namespace', 'bench'])
    const controller = await startControllerProgram(stage)
    const plane = await startDataPlaneProgram(stage, {
      pod: 'plane-a',
      controllers: [controller.port],
    })
    await stage.members(['plane-a'])
    return await measured(stage, plane)
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

async function measured(stage: Stage, plane: DataPlaneProgram): Promise<readonly string[]> {
  const rows: (readonly (string | number)[])[] = []
  let there = 0
  for (const size of SIZES) {
    await create(stage, there, size)
    there = size
    await untilSeen(plane.http, size - 1, 'v0', performance.now())
    const times: number[] = []
    for (let n = 1; n <= CHANGES; n += 1) {
      const i = (n * 7919) % size
      const body = `v${size}-${n}`
      await apply(stage, i, body)
      times.push(await untilSeen(plane.http, i, body, performance.now()))
    }
    rows.push(changeRow(size, times))
  }
  const p99 = Number(rows.at(-1)?.[2])
  return [
    `${CHANGES} changes each, three rules a route; API server, controller and data plane share the cores with the measuring.`,
    '',
    ...table(['routes', 'p50 ms', 'p99 ms', 'max ms'], rows),
    '',
    `Verdict: p99 at ${SIZES.at(-1)} routes ${p99 <= 300 ? 'within' : 'beyond'} 300 ms.`,
  ]
}

async function create(stage: Stage, from: number, to: number): Promise<void> {
  let next = from
  async function worker(): Promise<void> {
    while (next < to) {
      const i = next
      next += 1
      await apply(stage, i, 'v0')
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function apply({ api }: Stage, i: number, body: string): Promise<void> {
  const route: unknown = parse(routeText(i, body))
  const answer = await api.request({
    method: 'PATCH',
    path: `/apis/fairlead.dev/v1alpha1/namespaces/bench/apiroutes/r${i}`,
    query: { fieldManager: 'bench', force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: route,
  })
  successOf(answer)
}
