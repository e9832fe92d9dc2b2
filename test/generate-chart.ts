/**
 * Writes the templates of the chart fairlead-crds from crds/manifests: `node test/generate-chart.ts`;
 * with `--check` it only says which are out of date. Helm keeps the kinds, and with them everything
 * that people have written, when the chart is uninstalled.
 * Pinned by test/cluster/charts.test.ts: "the chart of the kinds is what the manifests say".
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')
const manifests = join(root, 'crds', 'manifests')
const templates = join(root, 'charts', 'fairlead-crds', 'templates')

const KEEP = '    helm.sh/resource-policy: keep\n'

/** Helm reads templates: what looks like one in a description must come out as it is. */
function templateOf(file: string, manifest: string): string {
  const text = manifest.replaceAll('{{', '{{ "{{" }}')
  const annotated = /^ {2}annotations:\n/m.test(text)
    ? text.replace(/^ {2}annotations:\n/m, (line) => line + KEEP)
    : text.replace(/^metadata:\n {2}name: .*\n/m, (lines) => `${lines}  annotations:\n${KEEP}`)
  if (!annotated.includes(KEEP)) throw new Error(`${file}: no metadata to annotate`)
  if (!file.startsWith('optional/')) return annotated
  return `{{- if .Values.referenceGrant.create }}\n${annotated}{{- end }}\n`
}

function current(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

const wanted = new Map(
  globSync('**/*.yaml', { cwd: manifests })
    .toSorted()
    .map((file) => [basename(file), templateOf(file, readFileSync(join(manifests, file), 'utf8'))]),
)
const spare = globSync('*', { cwd: templates }).filter((file) => !wanted.has(file))
const stale = [...wanted].filter(([file, text]) => current(join(templates, file)) !== text)

if (process.argv.includes('--check')) {
  for (const file of [...spare, ...stale.map(([name]) => name)]) {
    process.stderr.write(
      `charts/fairlead-crds/templates/${file} is out of date: run \`node test/generate-chart.ts\`\n`,
    )
  }
  process.exitCode = spare.length + stale.length === 0 ? 0 : 1
} else {
  for (const file of spare) rmSync(join(templates, file))
  for (const [file, text] of stale) {
    const path = join(templates, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    process.stdout.write(`${path}\n`)
  }
}
