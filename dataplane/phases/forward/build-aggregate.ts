/**
 * Prepares an aggregate when its table arrives: what its requests will need is bound here, and what
 * cannot be bound refuses the rule.
 * Pinned by aggregate-run.test.ts: "an aggregate that cannot be prepared is refused with its reason".
 */
import type { AggregateAction, Call } from '#wire/aggregate'
import type { Template, TemplateTree } from '#wire/value'
import { isRefused } from '../../runtime/preparer.ts'
import type { PrepareEnvironment, Preparer, Refused, TableReader } from '../../runtime/prepare.ts'
import type {
  Piece,
  PreparedAggregate,
  PreparedCall,
  PreparedForEach,
} from './prepared-aggregate.ts'
import { callDelivery } from '../../upstream/delivery.ts'

export function buildAggregate(
  action: AggregateAction,
  _reader: TableReader,
  env: PrepareEnvironment,
): PreparedAggregate | Refused {
  const { prepare } = env
  const calls: PreparedCall[] = []
  for (const call of action.calls) {
    const built = buildCall(call, action, prepare)
    if (isRefused(built)) return built
    calls.push(built)
  }
  const { response } = action
  const status = response.status === null ? null : prepare.template(response.status)
  if (isRefused(status)) return status
  const headers = prepare.headers(response.headers)
  if (isRefused(headers)) return headers
  const body = pieceOf(response.body, '', prepare)
  if (isRefused(body)) return body
  const { deadlineMs, callsMax, concurrencyMax, totalBytesMax } = action
  return {
    kind: 'aggregate',
    limits: { deadlineMs, callsMax, concurrencyMax, totalBytesMax },
    errors: action.errors,
    calls,
    response: { status, headers, body },
  }
}

function buildCall(call: Call, action: AggregateAction, prepare: Preparer): PreparedCall | Refused {
  const locals = call.forEach === null ? [] : [call.forEach.as]
  const when = call.when === null ? null : prepare.expression(call.when)
  if (isRefused(when)) return when
  const forEach = call.forEach === null ? null : buildForEach(call.forEach, prepare)
  if (isRefused(forEach)) return forEach
  const path = buildPath(call, locals, prepare)
  if (isRefused(path)) return path
  const setHeaders = prepare.headers(call.headers.set, locals)
  if (isRefused(setHeaders)) return setHeaders
  const body = call.body === null ? null : prepare.tree(call.body, locals)
  if (isRefused(body)) return body
  const dependsOn = call.dependsOn.map((name) =>
    action.calls.findIndex((other) => other.name === name),
  )
  const shownAt = placesOf(action.response.body, '', call.name)
  const expects = JSON.stringify([call.expect, call.timeoutMs, call.retry])
  const delivery = callDelivery(call.retry)
  return { call, dependsOn, when, forEach, ...path, setHeaders, body, delivery, expects, shownAt }
}

function buildForEach(
  forEach: NonNullable<Call['forEach']>,
  prepare: Preparer,
): PreparedForEach | Refused {
  const list = prepare.expression(forEach.in)
  if (isRefused(list)) return list
  const key = forEach.key === null ? null : prepare.expression(forEach.key, [forEach.as])
  if (isRefused(key)) return key
  return { ...forEach, in: list, key }
}

function buildPath(
  { path }: Call,
  locals: readonly string[],
  prepare: Preparer,
): Pick<PreparedCall, 'segments' | 'query'> | Refused {
  const segments: PreparedCall['segments'][number][] = []
  for (const template of path.segments) {
    const segment = prepare.segment(template, locals)
    if (isRefused(segment)) return segment
    segments.push(segment)
  }
  const query: PreparedCall['query'][number][] = []
  for (const part of path.query) {
    const name = prepare.queryPart(part.name, locals)
    if (isRefused(name)) return name
    const value = prepare.queryPart(part.value, locals)
    if (isRefused(value)) return value
    query.push({ name, value })
  }
  return { segments, query }
}

function pieceOf(tree: TemplateTree, path: string, prepare: Preparer): Piece | Refused {
  switch (tree.kind) {
    case 'value':
      return { kind: 'text', text: JSON.stringify(tree.value) }
    case 'template': {
      const template = prepare.template(tree.template)
      return isRefused(template) ? template : { kind: 'hole', path, template }
    }
    case 'object': {
      const fields: { name: string; piece: Piece }[] = []
      for (const { name, tree: inner } of tree.fields) {
        const piece = pieceOf(inner, below(path, name), prepare)
        if (isRefused(piece)) return piece
        fields.push({ name, piece })
      }
      return { kind: 'object', fields }
    }
    case 'list': {
      const items: Piece[] = []
      for (const [i, inner] of tree.items.entries()) {
        const piece = pieceOf(inner, `${path}[${i}]`, prepare)
        if (isRefused(piece)) return piece
        items.push(piece)
      }
      return { kind: 'list', items }
    }
    default:
      return tree satisfies never
  }
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** Where the body shows a call, by its name in the text of the holes. */
function placesOf(tree: TemplateTree, path: string, call: string): readonly string[] {
  switch (tree.kind) {
    case 'value':
      return []
    case 'template':
      return names(tree.template, call) ? [path] : []
    case 'object':
      return tree.fields.flatMap(({ name, tree: inner }) =>
        placesOf(inner, below(path, name), call),
      )
    case 'list':
      return tree.items.flatMap((inner, i) => placesOf(inner, `${path}[${i}]`, call))
    default:
      return tree satisfies never
  }
}

function names(template: Template, call: string): unknown {
  const mention = new RegExp(`\\bcalls\\s*(\\.\\s*${call}\\b|\\[\\s*["']${call}["']\\s*\\])`)
  return template.some((part) => typeof part !== 'string' && mention.test(part.expr))
}
