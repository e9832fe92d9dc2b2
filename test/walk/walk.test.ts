/**
 * Golden walks: for every case below this folder, what stands in in.yaml becomes a table, requests
 * become answers, and objects get their statuses, all by the real controller and the real data plane.
 * `make walk` rewrites what they become; the difference is reviewed as code. See README.md.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { type Issuer, startIssuer, type TokenSpec } from './issuer.ts'
import { type Answer, parseRequests, type Sending } from './requests.ts'
import { type Rig, startRig } from './rig.ts'
import {
  type Generations,
  generations,
  shownAnswers,
  shownStatus,
  shownTable,
  withOldSeconds,
  withoutVarying,
} from './shown.ts'

const here = import.meta.dirname
const mode = process.env['UPDATE'] === '1' ? 'rewrite' : 'compare'
const cases = globSync('*/*/in.yaml', { cwd: here })
  .map((file) => dirname(file))
  .toSorted()

let rig: Rig
let issuer: Issuer

before(async () => {
  issuer = await startIssuer()
  rig = await startRig()
})

after(async () => {
  await rig?.close()
  issuer?.close()
})

for (const name of cases) {
  test(`walk ${name}`, () => walkCase(join(here, name)))
}

async function walkCase(folder: string): Promise<void> {
  const fixtures = join(folder, 'fixtures')
  await rig.clear(existsSync(fixtures) ? fixtures : null)
  const names = namesOf(folder)
  const differences: string[] = []
  let first: Generations | null = null
  for (const step of ['', '.2', '.3']) {
    const yaml = fileIn(folder, `in${step}.yaml`)
    if (yaml === null) break
    await rig.apply(filled(yaml, names))
    first ??= generations(rig.controller)
    const golden = new Golden(folder, step, names)
    golden.is('table', 'json', shownTable(await rig.table(), first))
    golden.is('status', 'yaml', shownStatus(rig.controller, first))
    const requests = fileIn(folder, `request${step}.http`)
    if (requests !== null) {
      const sendings = parseRequests(filled(requests, names))
      golden.is('response', 'http', shownAnswers(sendings, await answersTo(sendings, golden)))
    }
    differences.push(...golden.differences)
  }
  assert(differences.length === 0, `${differences.join('\n')}\n${REWRITE}`)
}

const REWRITE = 'If this is what should be, run: make walk (and review the difference as code)'

const KEYS_WITHIN_MS = 2_000

/** Keys of an issuer arrive in the background: until then an answer says that they are missing. */
async function answersTo(sendings: readonly Sending[], golden: Golden): Promise<readonly Answer[]> {
  const limit = performance.now() + KEYS_WITHIN_MS
  for (;;) {
    const answers = await rig.send(sendings)
    const lack = answers.some(({ head }) => head.includes('x-fairlead-cause: keys-unavailable'))
    if (!lack || golden.lacksKeys || performance.now() > limit) return answers
    await new Promise((done) => setTimeout(done, 5))
  }
}

// ---- placeholders -----------------------------------------------------------------------------

/** What a placeholder stands for → the placeholder. */
function namesOf(folder: string): ReadonlyMap<string, string> {
  const names = new Map([[issuer.url, '{{issuer}}']])
  const tokens = JSON.parse(fileIn(folder, 'tokens.json') ?? '{}') as Record<string, TokenSpec>
  for (const [name, spec] of Object.entries(tokens)) {
    const made = JSON.parse(filled(JSON.stringify(spec), names)) as TokenSpec
    names.set(issuer.token(made), `{{token:${name}}}`)
  }
  return names
}

function filled(text: string, names: ReadonlyMap<string, string>): string {
  let made = text
  for (const [value, name] of names) made = made.replaceAll(name, value)
  const left = /\{\{[^{}]*\}\}/.exec(made)
  assert(left === null, `nothing is known of ${left?.[0]}`)
  return made
}

function fileIn(folder: string, file: string): string | null {
  const path = join(folder, file)
  return existsSync(path) ? readFileSync(path, 'utf8') : null
}

// ---- golden files -----------------------------------------------------------------------------

class Golden {
  readonly differences: string[] = []
  readonly #folder: string
  readonly #step: string
  readonly #names: ReadonlyMap<string, string>

  constructor(folder: string, step: string, names: ReadonlyMap<string, string>) {
    this.#folder = folder
    this.#step = step
    this.#names = names
  }

  /** Their very absence is what the case shows. */
  get lacksKeys(): boolean {
    return this.#read('response', 'http').includes('x-fairlead-cause: keys-unavailable')
  }

  is(what: string, ending: string, text: string): void {
    const old = this.#read(what, ending)
    const seen = withOldSeconds(withoutVarying(text, this.#names), old)
    if (seen === old) return
    const path = this.#path(what, ending)
    if (mode === 'rewrite') writeFileSync(path, seen)
    else this.differences.push(`${relative(here, path)} is not what came out:`, diff(old, seen))
  }

  #path(what: string, ending: string): string {
    return join(this.#folder, `${what}${this.#step}.${ending}`)
  }

  #read(what: string, ending: string): string {
    return fileIn(this.#folder, `${what}${this.#step}.${ending}`) ?? ''
  }
}

const CONTEXT_LINES = 2
const SHOWN_LINES_MAX = 60

/** Lines between the first and the last that differ, with a little of what stands around them. */
function diff(old: string, seen: string): string {
  const [a, b] = [old.split('\n'), seen.split('\n')]
  const lines = changes(a, b)
  const shown = lines.slice(0, SHOWN_LINES_MAX)
  if (lines.length > shown.length) shown.push(`… and ${lines.length - shown.length} more lines`)
  return shown.join('\n')
}

/** The shortest edit by a table of longest common parts: goldens are a few hundred lines. */
function changes(a: readonly string[], b: readonly string[]): string[] {
  let start = 0
  while (start < a.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1
  const around = (lines: readonly string[], from: number, to: number): string[] =>
    lines.slice(Math.max(0, from), to).map((line) => `    ${line}`)
  return [
    ...around(a, start - CONTEXT_LINES, start),
    ...a.slice(start, a.length - end).map((line) => `  - ${line}`),
    ...b.slice(start, b.length - end).map((line) => `  + ${line}`),
    ...around(a, a.length - end, a.length - end + CONTEXT_LINES),
  ]
}
