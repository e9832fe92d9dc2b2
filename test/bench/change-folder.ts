/**
 * From a file's save to the first request that sees it, with 10, 1,000 and 3,000 routes in the
 * folder: one route of them changes each time.
 */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { startFolderGateway } from '../fake/folder-gateway.ts'
import { percentile, round, table } from './figures.ts'

const SIZES = [10, 1_000, 3_000] as const
const CHANGES = 100

export function routeText(i: number, body: string): string {
  const rules = ['a', 'b', 'c']
    .map(
      (name) =>
        `  - { name: ${name}, public: true, match: [{ method: GET, path: "/r${i}/${name}" }], respond: { status: 200, body: "${body}" } }`,
    )
    .join('\n')
  return `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: r${i}, namespace: bench }
spec:
  hosts: [h${i % 100}.example.com]
  rules:
${rules}
`
}

/** Milliseconds until the route's answer is this text. */
export async function untilSeen(
  url: string,
  i: number,
  body: string,
  fromMs: number,
): Promise<number> {
  const headers = { host: `h${i % 100}.example.com` }
  for (;;) {
    const answer = await request(`${url}/r${i}/a`, { headers })
    if ((await answer.body.text()) === body) return performance.now() - fromMs
    if (performance.now() - fromMs > 60_000) throw new Error(`route r${i} never answers ${body}`)
  }
}

export function changeRow(size: number, times: readonly number[]): readonly (string | number)[] {
  return [
    size,
    round(percentile(times, 0.5)),
    round(percentile(times, 0.99)),
    round(Math.max(...times)),
  ]
}

export async function folderChange(): Promise<readonly string[]> {
  const rows: (readonly (string | number)[])[] = []
  for (const size of SIZES) rows.push(changeRow(size, await changes(size)))
  const p99 = Number(rows.at(-1)?.[2])
  return [
    `${CHANGES} changes each, three rules a route, one file a route; one data plane with two workers.`,
    '',
    ...table(['routes', 'p50 ms', 'p99 ms', 'max ms'], rows),
    '',
    `Verdict: p99 at ${SIZES.at(-1)} routes ${p99 <= 300 ? 'within' : 'beyond'} 300 ms (of which 20 ms are the wait for a quiet file).`,
  ]
}

async function changes(size: number): Promise<readonly number[]> {
  const root = await mkdtemp(join(tmpdir(), 'fairlead-bench-'))
  for (const name of ['folder', 'controller', 'plane'])
    await mkdir(join(root, name), { mode: 0o700 })
  for (let i = 0; i < size; i += 1) {
    await writeFile(join(root, 'folder', `r${i}.yaml`), routeText(i, 'v0'))
  }
  const gateway = await startFolderGateway({ root, port: 0, workers: 2 })
  try {
    await untilSeen(gateway.url, size - 1, 'v0', performance.now())
    const times: number[] = []
    for (let n = 1; n <= CHANGES; n += 1) {
      const i = (n * 7919) % size
      await gateway.write(`r${i}.yaml`, routeText(i, `v${n}`))
      times.push(await untilSeen(gateway.url, i, `v${n}`, performance.now()))
    }
    return times
  } finally {
    await gateway.stop()
    await rm(root, { recursive: true, force: true })
  }
}
