/**
 * What `fairlead dev` tells people: where it serves, what became of each object, what is wrong and
 * where in which file, and lines to try. Colours only on a terminal.
 * Pinned by overview.test.ts: "every problem is shown at its file, line and column".
 */
import { styleText } from 'node:util'
import type { Verdict } from '../compile/compiled.ts'
import type { ObjectStatus } from '../status/conditions.ts'

export interface Shown {
  readonly verdict: Verdict
  readonly status: ObjectStatus
  /** `file:line:column` of a field path of the object; null where it comes from no file. */
  readonly locate: (path: string) => string | null
}

export type Paint = 'colours' | 'plain'

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

function paint(style: Style, text: string, how: Paint): string {
  return how === 'colours' ? styleText(style, text, { validateStream: false }) : text
}

export interface Served {
  readonly folder: string
  readonly http: string
  readonly admin: string
}

export function heading({ folder, http, admin }: Served, how: Paint): string {
  return `${paint('bold', 'Fairlead', how)} serves ${folder} at ${paint('bold', http, how)}  (probes and metrics: ${admin})\n`
}

/** One line per route: name, hosts as seen by its gateways, conditions. */
export function routeTable(shown: readonly Shown[], how: Paint): string {
  const routes = shown.filter(({ verdict }) => verdict.kind === 'ApiRoute')
  if (routes.length === 0) return paint('yellow', 'No ApiRoute in the folder yet.\n', how)
  const width = Math.max(...routes.map(({ verdict }) => nameOf(verdict).length), 5)
  const lines = routes
    .toSorted((a, b) => (nameOf(a.verdict) < nameOf(b.verdict) ? -1 : 1))
    .map((route) => `  ${nameOf(route.verdict).padEnd(width)}  ${conditions(route.status, how)}`)
  return `  ${paint('dim', `${'ROUTE'.padEnd(width)}  CONDITIONS`, how)}\n${lines.join('\n')}\n`
}

/** One line per object whose conditions are not all true, with its problems below it. */
export function troubles(shown: readonly Shown[], how: Paint): string {
  return shown
    .filter(({ verdict }) => verdict.problems.length > 0 || verdict.accepted.status === 'False')
    .map((object) => trouble(object, how))
    .join('')
}

export function trouble({ verdict, status, locate }: Shown, how: Paint): string {
  const head = `${verdict.kind} ${nameOf(verdict)}: ${conditions(status, how)}\n`
  const failures = verdict.problems.map(({ path, severity, reason, sentence }) => {
    const place = locate(path)
    const colour = severity === 'failure' ? 'red' : 'yellow'
    const where = place === null ? path : `${place} ${path}`
    return `  ${paint(colour, reason, how)} ${paint('dim', where, how)}\n    ${sentence}\n`
  })
  const without = failures.length === 0 ? [`    ${verdict.accepted.message}\n`] : failures
  return head + without.join('')
}

/** A change of an object's conditions, as it happens. */
export function change(object: Shown, how: Paint): string {
  const broken = object.verdict.problems.length > 0
  if (broken) return trouble(object, how)
  return `${object.verdict.kind} ${nameOf(object.verdict)}: ${conditions(object.status, how)}\n`
}

export interface FileTrouble {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly sentence: string
}

export function fileTroubles(problems: readonly FileTrouble[], how: Paint): string {
  return problems
    .map(
      ({ file, line, column, sentence }) =>
        `${paint('red', `${file}:${line}:${column}`, how)} ${sentence}\n`,
    )
    .join('')
}

function conditions(status: ObjectStatus, how: Paint): string {
  return status.conditions
    .map(({ type, status: is, reason }) => {
      const word = type === reason ? type : `${type}=${is} (${reason})`
      return paint(is === 'True' ? 'green' : 'red', word, how)
    })
    .join('  ')
}

function nameOf({ namespace, name }: Verdict): string {
  return `${namespace}/${name}`
}

/** The folder's own `try.txt`, with what only this process knows filled in. */
export function tryLines(text: string, facts: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{([a-zA-Z/-]+)\}/g, (hole, name: string) => facts[name] ?? hole)
}
