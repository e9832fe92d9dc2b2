/**
 * The whole gateway with many routes from one folder, in this process: sends its figures to scale.ts.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { startFolderGateway } from '../fake/folder-gateway.ts'
import { median } from './figures.ts'
import { routeOf } from './scale.ts'

const [routes = 0, edits = 0] = process.argv.slice(2).map(Number)
const FILES = 100

function fileText(file: number, bodies: ReadonlyMap<number, string>): string {
  const texts: string[] = []
  for (let i = file; i < routes; i += FILES) {
    const { content } = routeOf(i, bodies.get(i) ?? 'v0')
    const metadata = { name: `r${i}`, namespace: `team-${i % 50}` }
    texts.push(stringify({ ...content, metadata }))
  }
  return texts.join('---\n')
}

const root = await mkdtemp(join(tmpdir(), 'fairlead-bench-'))
for (const name of ['folder', 'controller', 'plane']) await mkdir(join(root, name), { mode: 0o700 })
const startedMs = performance.now()
const gateway = await startFolderGateway({ root, port: 0, workers: 2 })
for (let file = 0; file < FILES; file += 1)
  await gateway.write(`f${file}.yaml`, fileText(file, new Map()))
await read(routes)
await gateway.settled()
const firstMs = performance.now() - startedMs
const times: number[] = []
for (let n = 1; n <= edits; n += 1) {
  const i = (n * 7919) % routes
  const text = fileText(i % FILES, new Map([[i, `v${n}`]]))
  const fromMs = performance.now()
  await gateway.write(`f${i % FILES}.yaml`, text)
  await edited(i, `v${n}`)
  await gateway.settled()
  times.push(performance.now() - fromMs)
}
const residentMib = Math.round(process.memoryUsage().rss / 2 ** 20)
process.send?.({ firstMs, editMs: median(times), residentMib })
await gateway.stop()
await rm(root, { recursive: true, force: true })
process.disconnect?.()

async function read(count: number): Promise<void> {
  const { source } = gateway.controller
  for (;;) {
    const present = [...source.snapshot(new Map()).kinds.ApiRoute.values()]
    if (present.reduce((sum, names) => sum + names.size, 0) === count) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function edited(i: number, body: string): Promise<void> {
  for (;;) {
    const route = gateway.controller.source.current('ApiRoute', `team-${i % 50}`, `r${i}`)
    if (JSON.stringify(route?.content).includes(`"${body}"`)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}
