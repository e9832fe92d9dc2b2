/**
 * Writes the manifests: `node crds/generate.ts`; with `--check` it only says which are out of date.
 * Pinned by emit.test.ts: "the manifests are what the schemas say".
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { manifest, manifestFile } from './emit.ts'
import { KINDS } from './kinds.ts'

const folder = join(import.meta.dirname, 'manifests')

function current(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

const stale = Object.values(KINDS).filter(
  (facts) => current(join(folder, manifestFile(facts))) !== manifest(facts),
)
if (process.argv.includes('--check')) {
  for (const facts of stale) {
    process.stderr.write(
      `crds/manifests/${manifestFile(facts)} is out of date: run \`node crds/generate.ts\`\n`,
    )
  }
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const facts of stale) {
    const path = join(folder, manifestFile(facts))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, manifest(facts))
    process.stdout.write(`${path}\n`)
  }
}
