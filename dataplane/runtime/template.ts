/**
 * Templates made ready: text with expressions in it becomes a header's value, a part of a path or a
 * query, or a document, each with the encoding that keeps a value from becoming structure.
 * Pinned by template.test.ts: "no value becomes structure of a path, a query or a header".
 */
import { EVALUATION_BYTES_MAX } from '#wire/limits'
import type { Template, TemplateTree } from '#wire/value'
import type { PreparedTree } from '../phases/forward/prepared-aggregate.ts'
import { EXHAUSTED } from './budget.ts'
import type { Expressions } from './expression-closures.ts'
import {
  ExpressionFailure,
  type CelValue,
  type Prepared,
  type PreparedTemplate,
  type Scope,
} from './expression-types.ts'
import { mapOf, needsCelMap } from './expression-values.ts'
import type { Refused } from './prepare.ts'
import {
  checkedHeader,
  checkedSegment,
  encodeQueryValue,
  encodeSegment,
  headerText,
  plainText,
  type Text,
} from './template-text.ts'

/** How holes become text, and what the whole must be. Literal text stands as it was written. */
interface Manner {
  hole(value: CelValue): Text
  whole(text: string): Text
}

const PLAIN: Manner = { hole: plainText, whole: (text) => text }
const HEADER: Manner = { hole: headerText, whole: checkedHeader }
const SEGMENT: Manner = { hole: encodeSegment, whole: checkedSegment }
const QUERY: Manner = { hole: encodeQueryValue, whole: (text) => text }

/** Text as it is; several parts are joined, lists and maps as JSON. */
export function prepareTemplate(
  template: Template,
  expressions: Expressions,
  locals: readonly string[] = [],
): PreparedTemplate | Refused {
  return prepareIn(PLAIN, { template, expressions, locals })
}

/** Renders what may stand as a header's value, or fails. */
export function prepareHeaderValue(
  template: Template,
  expressions: Expressions,
  locals: readonly string[] = [],
): PreparedTemplate | Refused {
  return prepareIn(HEADER, { template, expressions, locals })
}

/** Renders one segment of a path: holes encoded, literal text as it stands. */
export function prepareSegment(
  template: Template,
  expressions: Expressions,
  locals: readonly string[] = [],
): PreparedTemplate | Refused {
  return prepareIn(SEGMENT, { template, expressions, locals })
}

/** Renders a name or a value of a query: holes encoded, literal text as it stands. */
export function prepareQueryPart(
  template: Template,
  expressions: Expressions,
  locals: readonly string[] = [],
): PreparedTemplate | Refused {
  return prepareIn(QUERY, { template, expressions, locals })
}

interface Request {
  readonly template: Template
  readonly expressions: Expressions
  readonly locals: readonly string[]
}

function prepareIn(manner: Manner, request: Request): PreparedTemplate | Refused {
  const parts: (string | Prepared)[] = []
  for (const part of request.template) {
    const prepared =
      typeof part === 'string' ? part : request.expressions.prepare(part.expr, request.locals)
    if (typeof prepared !== 'string' && 'kind' in prepared) return prepared
    parts.push(prepared)
  }
  const [first, ...others] = parts
  if (others.length > 0) return joined(parts, manner)
  return typeof first === 'object' ? single(first, manner) : literal(first ?? '', manner)
}

function literal(text: string, manner: Manner): PreparedTemplate | Refused {
  const whole = manner.whole(text)
  if (typeof whole !== 'string') return { kind: 'refused', because: whole.reason }
  return { render: () => whole, value: () => whole }
}

function single(prepared: Prepared, manner: Manner): PreparedTemplate {
  return {
    render(scope) {
      const value = prepared.evaluate(scope)
      if (value instanceof ExpressionFailure) return value
      const text = manner.hole(value)
      return typeof text === 'string' ? manner.whole(text) : text
    },
    value: (scope) => prepared.evaluate(scope),
  }
}

function joined(parts: readonly (string | Prepared)[], manner: Manner): PreparedTemplate {
  const render = (scope: Scope): Text => {
    let whole = ''
    for (const part of parts) {
      const text = typeof part === 'string' ? part : hole(part, scope, manner)
      if (typeof text !== 'string') return text
      whole += text
      if (whole.length > EVALUATION_BYTES_MAX) return EXHAUSTED
    }
    return manner.whole(whole)
  }
  return { render, value: render }
}

function hole(prepared: Prepared, scope: Scope, manner: Manner): Text {
  const value = prepared.evaluate(scope)
  return value instanceof ExpressionFailure ? value : manner.hole(value)
}

export function prepareTree(
  tree: TemplateTree,
  expressions: Expressions,
  locals: readonly string[] = [],
): PreparedTree | Refused {
  switch (tree.kind) {
    case 'value': {
      const { value } = tree
      return { fill: () => value }
    }
    case 'template': {
      const template = prepareTemplate(tree.template, expressions, locals)
      return 'kind' in template ? template : { fill: (scope) => template.value(scope) }
    }
    case 'list': {
      const items = prepareAll(tree.items, expressions, locals)
      return 'kind' in items ? items : { fill: (scope) => filled(items.trees, scope) }
    }
    case 'object':
      return prepareObject(tree, expressions, locals)
    default:
      return tree satisfies never
  }
}

function prepareAll(
  trees: readonly TemplateTree[],
  expressions: Expressions,
  locals: readonly string[],
): { readonly trees: readonly PreparedTree[] } | Refused {
  const prepared: PreparedTree[] = []
  for (const tree of trees) {
    const made = prepareTree(tree, expressions, locals)
    if ('kind' in made) return made
    prepared.push(made)
  }
  return { trees: prepared }
}

function filled(
  trees: readonly PreparedTree[],
  scope: Scope,
): readonly CelValue[] | ExpressionFailure {
  const values: CelValue[] = []
  for (const tree of trees) {
    const value = tree.fill(scope)
    if (value instanceof ExpressionFailure) return value
    values.push(value)
  }
  return values
}

const KEY_TWICE = new ExpressionFailure('an object has a field twice')

function prepareObject(
  { fields }: Extract<TemplateTree, { kind: 'object' }>,
  expressions: Expressions,
  locals: readonly string[],
): PreparedTree | Refused {
  const prepared = prepareAll(
    fields.map((field) => field.tree),
    expressions,
    locals,
  )
  if ('kind' in prepared) return prepared
  const names = fields.map((field) => field.name)
  const odd = names.some(needsCelMap)
  return {
    fill(scope) {
      const values = filled(prepared.trees, scope)
      if (values instanceof ExpressionFailure) return values
      return odd ? (ordered(names, values) ?? KEY_TWICE) : objectOf(names, values)
    },
  }
}

function objectOf(names: readonly string[], values: readonly CelValue[]): CelValue {
  const object: { [name: string]: CelValue } = {}
  for (const [i, value] of values.entries()) object[names[i] ?? ''] = value
  return object
}

/** Names such as `10`, which a plain object would move to its front. */
function ordered(names: readonly string[], values: readonly CelValue[]): CelValue | null {
  return mapOf(values.map((value, i) => ({ key: names[i] ?? '', value })))
}
