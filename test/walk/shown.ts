/**
 * Tables, statuses and answers as golden files hold them: readable, without what no two runs share.
 */
import { Document, isMap, visit } from 'yaml'
import type { FolderController } from '../../controller/folder-controller.ts'
import type { Condition, ObjectStatus } from '../../controller/status/conditions.ts'
import type { TableObject } from '#wire/table'
import type { Answer, Sending } from './requests.ts'

/** Generations count from the first step of a case. */
export type Generations = ReadonlyMap<string, number>

const LINE_LENGTH_MAX = 100

// ---- the table --------------------------------------------------------------------------------

export function shownTable(objects: readonly TableObject[], first: Generations): string {
  const sorted = objects.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  return `${json(
    sorted.map(({ kind, key, sources, value }) => ({
      kind,
      key,
      sources: sources.map(
        (source) => `${source.kind} ${source.name}#${relative(source, source.generation, first)}`,
      ),
      value,
    })),
    0,
  )}\n`
}

function idOf({ kind, key }: TableObject): string {
  return `${kind} ${key}`
}

function relative(of: { kind: string; name: string }, generation: number, first: Generations) {
  return generation - (first.get(`${of.kind} ${of.name}`) ?? generation) + 1
}

/** JSON in which whatever fits on one line stands on one line. */
function json(value: unknown, indent: number): string {
  const line = JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return line
  const flat = line.length + indent <= LINE_LENGTH_MAX && indent > 0
  if (flat) return line
  const inner = indent + 2
  const pad = ' '.repeat(inner)
  const [open, close, items] = Array.isArray(value)
    ? ['[', ']', value.map((item: unknown) => json(item, inner))]
    : [
        '{',
        '}',
        Object.entries(value).map(
          ([name, item]) => `${JSON.stringify(name)}: ${json(item, inner)}`,
        ),
      ]
  if (items.length === 0) return line
  return `${open}\n${items.map((item) => pad + item).join(',\n')}\n${' '.repeat(indent)}${close}`
}

// ---- statuses ---------------------------------------------------------------------------------

export function generations({ board }: FolderController): Generations {
  return new Map([...board.verdicts()].map(([id, { generation }]) => [id, generation]))
}

export function shownStatus(controller: FolderController, first: Generations): string {
  const { board, source } = controller
  const shown: Record<string, unknown> = {}
  const files = source.problems()
  if (files.length > 0) {
    shown['files'] = files.map(
      ({ file, line, column, sentence }) => `${file}:${line}:${column} ${sentence}`,
    )
  }
  for (const id of [...board.verdicts().keys()].toSorted()) {
    const status = board.status(id)
    if (status !== null) shown[id] = objectStatus(status, id, controller, first)
  }
  const document = new Document(shown)
  visit(document, {
    Map(_, node) {
      // Whatever holds no other map is one line.
      if (!node.items.some(({ value }) => isMap(value) || isSeqOfMaps(value))) node.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: true })
}

function isSeqOfMaps(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'items' in value
}

function objectStatus(
  status: ObjectStatus,
  id: string,
  { source, board }: FolderController,
  first: Generations,
): unknown {
  const verdict = board.verdict(id)
  const kind = source.kindOf(verdict?.kind ?? '')
  const place = (path: string): string =>
    (kind === null || verdict === null
      ? null
      : source.locate(kind, verdict.namespace, verdict.name, path)) ?? '(no file)'
  const base = first.get(id) ?? status.observedGeneration
  const generation = status.observedGeneration - base + 1
  return {
    ...(generation === 1 ? {} : { observedGeneration: generation }),
    conditions: status.conditions.map((one) => shownCondition(one, base)),
    ...(status.problems.length === 0
      ? {}
      : {
          problems: status.problems.map(({ path, reason, sentence }) => ({
            at: place(path),
            path,
            reason,
            sentence,
          })),
        }),
    ...(status.gateways === undefined
      ? {}
      : { gateways: status.gateways.map((one) => shownPlace(one, base)) }),
    ...(status.targets === undefined
      ? {}
      : { targets: status.targets.map((one) => shownPlace(one, base)) }),
  }
}

function shownCondition({ type, status, reason, message }: Condition, base: number): unknown {
  const numbered = message
    .replaceAll(/(?<=\bGeneration )\d+/g, (generation) => `${Number(generation) - base + 1}`)
    .replaceAll(/(?<=\blistens on )\d+/g, '{{port}}')
  return { type, status, reason, message: numbered }
}

function shownPlace(place: { readonly conditions: readonly Condition[] }, base: number): unknown {
  return { ...place, conditions: place.conditions.map((one) => shownCondition(one, base)) }
}

// ---- answers ----------------------------------------------------------------------------------

export function shownAnswers(sendings: readonly Sending[], answers: readonly Answer[]): string {
  return sendings
    .map(({ title }, i) => {
      const { head, body } = answers[i] ?? { head: '', body: '' }
      const end = body === '' || body.endsWith('\n') ? body : `${body}\n`
      return `### ${title}\n${lengthVaries(body) ? withoutLength(head) : head}\n\n${end}`
    })
    .join('\n')
}

/** A duration has as many digits as it needs. */
function lengthVaries(body: string): boolean {
  return body.includes('"durationMs"')
}

function withoutLength(head: string): string {
  return head.replace(/^content-length: .*$/im, 'content-length: {{bytes}}')
}

/** What varies from run to run, in the order in which it is replaced. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/^date: .*$/gim, 'date: {{date}}'],
  [/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '{{id}}'],
  [/\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\b/g, '{{traceparent}}'],
  [/;dur=[0-9.]+/g, ';dur={{ms}}'],
  [/"durationMs": ?[0-9.]+/g, '"durationMs":"{{ms}}"'],
]

export function withoutVarying(text: string, names: ReadonlyMap<string, string>): string {
  let shown = text
  for (const [value, name] of names) shown = shown.replaceAll(value, name)
  for (const [pattern, name] of VARYING) shown = shown.replaceAll(pattern, name)
  return shown
}

/** Seconds until a limit is refilled: they depend on how quickly a run gets there. */
const SECONDS = /(?<=;t=|^retry-after: |^age: )\d+/gim
const SECONDS_APART_MAX = 10

/** The new text with the old one's seconds where they hardly differ. */
export function withOldSeconds(text: string, old: string): string {
  const before = [...old.matchAll(SECONDS)].map(([seconds]) => Number(seconds))
  if (before.length !== [...text.matchAll(SECONDS)].length) return text
  let i = 0
  return text.replaceAll(SECONDS, (seconds) => {
    const known = before[i++] ?? Number.NaN
    return Math.abs(Number(seconds) - known) <= SECONDS_APART_MAX ? String(known) : seconds
  })
}
