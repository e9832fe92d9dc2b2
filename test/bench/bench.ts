/**
 * `make bench`: measures beside a peer in one run, prints the figures as they come, and keeps them
 * with their environment in results/. Names of parts as arguments run only those.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { bodies } from './bodies.ts'
import { clusterChange } from './change-cluster.ts'
import { folderChange } from './change-folder.ts'
import { installPeers } from './install.ts'
import { jwt } from './jwt.ts'
import { lanes } from './lanes.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { proxy } from './proxy.ts'
import { routes } from './routes.ts'
import { scale } from './scale.ts'

/** A part returns lines of Markdown. */
const PARTS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  proxy,
  lanes,
  jwt,
  routes,
  bodies,
  latency,
  memory,
  'change-folder': folderChange,
  'change-cluster': clusterChange,
  scale,
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => !(name in PARTS))
  if (unknown.length > 0) {
    process.stderr.write(
      `no part "${unknown.join()}"; there are ${Object.keys(PARTS).join(', ')}\n`,
    )
    process.exitCode = 2
    return
  }
  installPeers()
  for (const [name, run] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    process.stdout.write(`\n## ${name}\n\n`)
    const lines = await run()
    for (const line of lines) process.stdout.write(`${line}\n`)
    keep(name, lines)
  }
}

function keep(name: string, lines: readonly string[]): void {
  const folder = join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  const version = (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version
  const environment = [
    `# ${name} at ${version}, ${new Date().toISOString().slice(0, 10)}`,
    '',
    `${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, commit ${commit()}.`,
    'One machine runs everything; compare ratios within this run, not absolutes between runs.',
    '',
  ]
  writeFileSync(join(folder, `${version}-${name}.md`), `${[...environment, ...lines].join('\n')}\n`)
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
}

await main()
