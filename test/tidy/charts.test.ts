/**
 * What can be set in the charts is said where people look: in the schema, which editors show, in
 * values.yaml, and in the README, whose table UPDATE=1 rewrites.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { isRecord } from '../../crds/inspect.ts'

const charts = join(import.meta.dirname, '..', '..', 'charts')
const CHARTS = ['fairlead', 'fairlead-crds'] as const

interface Value {
  readonly path: string
  readonly description: string | null
  readonly example: unknown
  /** Undefined: values.yaml does not set it. */
  readonly fallback: unknown
  /** Others stand below it. */
  readonly level: 'leaf' | 'group'
}

function field(of: unknown, name: string): unknown {
  return isRecord(of) ? of[name] : undefined
}

function schemaOf(chart: string): unknown {
  return JSON.parse(readFileSync(join(charts, chart, 'values.schema.json'), 'utf8'))
}

/** Everything that the schema has a name for, in its order. */
function valuesOf(chart: string): readonly Value[] {
  const schema = schemaOf(chart)
  const defaults: unknown = parse(readFileSync(join(charts, chart, 'values.yaml'), 'utf8'))

  function below(part: unknown, path: readonly string[], fallback: unknown): readonly Value[] {
    const properties = field(resolved(part), 'properties')
    return Object.entries(isRecord(properties) ? properties : {}).flatMap(([name, one]) => {
      const description = field(one, 'description')
      const examples = field(one, 'examples')
      const own = [...path, name]
      const within = below(one, own, field(fallback, name))
      const value: Value = {
        path: own.join('.'),
        description: typeof description === 'string' ? description : null,
        example: Array.isArray(examples) ? examples[0] : undefined,
        fallback: field(fallback, name),
        level: within.length === 0 ? 'leaf' : 'group',
      }
      return [value, ...within]
    })
  }

  function resolved(part: unknown): unknown {
    const reference = field(part, '$ref')
    if (typeof reference !== 'string') return part
    return field(field(schema, '$defs'), reference.replace('#/$defs/', ''))
  }

  return below(schema, [], defaults)
}

function row({ path, description, example, fallback }: Value): string {
  const shown = (value: unknown): string => `\`${JSON.stringify(value)}\``
  const such = example === undefined ? '' : ` Such as ${shown(example)}`
  return `| \`${path}\` | ${fallback === undefined ? '' : shown(fallback)} | ${description ?? ''}${such} |`
}

/** What only Helm or a Pod reads, or what is a field of a kind that has its own page. */
function isOwn({ path }: Value): boolean {
  return path !== 'global' && !/\.resources\.(requests|limits|claims)$/.test(path)
}

/** A group is named by what stands below it; `resources` is written as in a Pod. */
function isSetWhole({ path, level }: Value): boolean {
  return level === 'leaf' || path.endsWith('.resources')
}

for (const chart of CHARTS) {
  test(`every value of the chart ${chart} is described`, () => {
    const silent = valuesOf(chart).filter(({ description }) => (description ?? '').length < 5)
    assert.deepEqual(
      silent.map(({ path }) => path),
      [],
    )
  })

  test(`values.yaml of the chart ${chart} shows every value`, () => {
    const hidden = valuesOf(chart).filter((value) => isOwn(value) && value.fallback === undefined)
    assert.deepEqual(
      hidden.map(({ path }) => path).filter((path) => !path.startsWith('gateway.spec.')),
      [],
    )
  })

  test(`README.md of the chart ${chart} lists every value, and no other`, () => {
    const page = join(charts, chart, 'README.md')
    const text = readFileSync(page, 'utf8')
    const head = text.slice(0, text.indexOf('|---|---|---|\n') + '|---|---|---|\n'.length)
    const rows = valuesOf(chart).filter((value) => isOwn(value) && isSetWhole(value))
    const wanted = `${head}${rows.map(row).join('\n')}\n`
    if (process.env['UPDATE'] === '1') writeFileSync(page, wanted)
    else assert.equal(text, wanted)
  })
}
