/**
 * The one place where text of a table becomes something that runs: expressions, templates, patterns
 * and header lists, for every builder. What holds no expression becomes a constant.
 * Pinned by preparer.test.ts: "text without expressions is a constant, and checked as one".
 */
import type { HeaderEdits, HeaderTemplate, Template } from '#wire/value'
import { foldedName } from './client-headers.ts'
import type { Expressions } from './expression-closures.ts'
import { isFailure } from './expression-types.ts'
import type { Preparer, Refused } from './prepare.ts'
import type { PreparedHeader, PreparedHeaderEdits } from './runtime.ts'
import {
  prepareHeaderValue,
  prepareQueryPart,
  prepareSegment,
  prepareTemplate,
  prepareTree,
} from './template.ts'
import { headerText } from './template-text.ts'

/** `expressions`: one per worker, so that equal texts share what they become. */
export function createPreparer(expressions: Expressions): Preparer {
  const header = (template: HeaderTemplate, locals?: readonly string[]): PreparedHeader | Refused =>
    preparedHeader(template, expressions, locals)
  const headers = (
    templates: readonly HeaderTemplate[],
    locals?: readonly string[],
  ): readonly PreparedHeader[] | Refused => allOf(templates.map((one) => header(one, locals)))
  return {
    expression: (text, locals) => expressions.prepare(text, locals),
    template: (template, locals) => prepareTemplate(template, expressions, locals),
    tree: (tree, locals) => prepareTree(tree, expressions, locals),
    segment: (template, locals) => prepareSegment(template, expressions, locals),
    queryPart: (template, locals) => prepareQueryPart(template, expressions, locals),
    pattern: (text) => expressions.pattern(text),
    header,
    headers,
    headerEdits: (edits) => preparedEdits(edits, headers([...edits.set, ...edits.add])),
  }
}

/** The text of a template without holes, or null. */
export function constantText(template: Template): string | null {
  let text = ''
  for (const part of template) {
    if (typeof part !== 'string') return null
    text += part
  }
  return text
}

export function isRefused(value: unknown): value is Refused {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'refused'
}

function preparedHeader(
  { name, value, onFailure }: HeaderTemplate,
  expressions: Expressions,
  locals?: readonly string[],
): PreparedHeader | Refused {
  const constant = constantText(value)
  if (constant === null) {
    const prepared = prepareHeaderValue(value, expressions, locals)
    return isRefused(prepared) ? prepared : { name, value: prepared, onFailure }
  }
  const text = headerText(constant)
  return isFailure(text)
    ? { kind: 'refused', because: `header ${name}: ${text.reason}` }
    : { name, value: text, onFailure }
}

function preparedEdits(
  { remove, set }: HeaderEdits,
  added: readonly PreparedHeader[] | Refused,
): PreparedHeaderEdits | Refused {
  if (isRefused(added)) return added
  const names = [...remove, ...set.map(({ name }) => name)]
  return {
    removed: names,
    removedFolded: names.map(foldedName),
    added,
  }
}

function allOf<T>(parts: readonly (T | Refused)[]): readonly T[] | Refused {
  const kept: T[] = []
  for (const part of parts) {
    if (isRefused(part)) return part
    kept.push(part)
  }
  return kept
}
