/**
 * One call of an aggregate. What it waits for is inferred from its expressions: every call that any
 * of them names, and those under `after`.
 * Pinned by aggregate-call.test.ts: "a call depends on every call that its expressions name".
 */
import type { CallSpec, ExpectSpec, FallbackSpec, ForEachSpec } from '../../crds/aggregate.ts'
import type { Call, ForEach } from '#wire/aggregate'
import { utf8Bytes } from '#wire/expression-text'
import { FIXED_BODY_BYTES_MAX } from '#wire/limits'
import type { Retry } from '#wire/delivery'
import type { Backend } from '#wire/table'
import type { Json } from '#wire/value'
import { resolveBackend } from './backend.ts'
import { parseCallPath } from './call-path.ts'
import { compileRetry } from './delivery.ts'
import { checkExpression, mergeFacts, NO_FACTS, type Within } from './expression.ts'
import { compileHeaders } from './header.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { waitMs } from './quantity.ts'
import { type StatusRange, statusRange, SUCCESS } from './status-range.ts'
import type { StepWithin } from './steps.ts'
import { didYouMean } from './suggest.ts'
import { type CheckedWithFacts, parseTree } from './template.ts'

export interface CallWithin extends StepWithin {
  readonly name: string
  /** All calls of the aggregate may be named: cycles are found over all of them together. */
  readonly expressions: Within
  readonly names: readonly string[]
  readonly concurrencyMax: number
  readonly callsMax: number
}

export interface CompiledCall {
  /** Null where it cannot be made as written. */
  readonly call: Call | null
  readonly dependsOn: readonly string[]
  readonly backends: readonly (readonly [string, Backend])[]
}

type At = FieldPath<CallSpec>

export function compileCall(spec: CallSpec, at: At, within: CallWithin): Checked<CompiledCall> {
  const inside = insideOf(spec, within.expressions)
  const when = compileWhen(spec, at, within.expressions)
  const forEach = compileForEach(spec, at, within)
  const path = parseCallPath(spec.path, at.child('path'), inside)
  const headers = compileCallHeaders(spec, at, inside)
  const body = compileBody(spec, at, inside)
  const after = compileAfter(spec, at, within)
  const expect = compileExpect(spec.expect ?? {}, at.child('expect'))
  const fallback = compileFallback(spec, at)
  const timeout = compileTimeout(spec, at)
  const retry = compileCallRetry(spec, at)
  const method = compileMethod(spec, at)
  const service = resolveBackend(spec.backend, at.child('backend'), within)
  const expressions = [when, forEach, path, headers, body]
  const facts = mergeFacts(expressions.map((part) => part.facts))
  const dependsOn = [...new Set([...facts.calls, ...after.value])].toSorted()
  const parts = [...expressions, after, expect, fallback, timeout, retry, method, service]
  const problems = parts.flatMap((part) => part.problems)
  const { target, backend } = service.value
  const backends =
    target.kind === 'backend' && backend !== null ? [[target.backend, backend] as const] : []
  if (path.value === null) return { value: { call: null, dependsOn, backends }, problems }
  const call: Call = {
    name: within.name,
    dependsOn,
    when: when.value,
    forEach: forEach.value,
    backend: target,
    method: method.value,
    path: path.value,
    headers: headers.value,
    body: body.value,
    timeoutMs: timeout.value,
    expect: expect.value,
    fallback: fallback.value,
    ...(retry.value === null ? {} : { retry: retry.value }),
  }
  return { value: { call, dependsOn, backends }, problems }
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** RFC 9110 section 9.2.1: it is not expected to change anything. */
export function isSafe(spec: CallSpec): boolean {
  return SAFE.has(methodOf(spec))
}

function methodOf(spec: CallSpec): string {
  return spec.method ?? 'GET'
}

/** A tunnel has no answer, and a trace would show the gateway's own headers. */
function compileMethod(spec: CallSpec, at: At): Checked<string> {
  const value = methodOf(spec)
  if (value !== 'CONNECT' && value !== 'TRACE') return { value, problems: [] }
  const sentence = `${value} is not for calls; use GET, POST, PUT, PATCH or DELETE.`
  return { value, problems: [at.child('method').problem('Invalid', sentence)] }
}

/** With forEach, the item has a name wherever the expressions are evaluated for each item. */
function insideOf(spec: CallSpec, expressions: Within): Within {
  if (spec.forEach === undefined) return expressions
  return { ...expressions, locals: [spec.forEach.as] }
}

/** Judged once for the whole call, so that it does not know the item: filter in `forEach.in`. */
function compileWhen(spec: CallSpec, at: At, expressions: Within): CheckedWithFacts<string | null> {
  if (spec.when === undefined) return NOTHING
  return expressionOf(spec.when, at.child('when'), { ...expressions, expects: 'bool' })
}

const NOTHING: CheckedWithFacts<null> = { value: null, problems: [], facts: NO_FACTS }

function expressionOf(
  text: string,
  at: FieldPath<string>,
  within: Within,
): CheckedWithFacts<string | null> {
  const { value: facts, problems } = checkExpression(text, at, within)
  return { value: facts === null ? null : text, problems, facts: facts ?? NO_FACTS }
}

function compileForEach(
  spec: CallSpec,
  at: At,
  within: CallWithin,
): CheckedWithFacts<ForEach | null> {
  if (spec.forEach === undefined) return NOTHING
  const { forEach } = spec
  const place = at.child('forEach')
  const list = expressionOf(forEach.in, place.child('in'), within.expressions)
  const key =
    forEach.key === undefined
      ? NOTHING
      : expressionOf(forEach.key, place.child('key'), insideOf(spec, within.expressions))
  const facts = mergeFacts([list.facts, key.facts])
  const problems = [...list.problems, ...key.problems, ...forEachProblems(spec, place, within)]
  if (list.value === null) return { value: null, problems, facts }
  const value: ForEach = {
    in: list.value,
    as: forEach.as,
    key: key.value,
    max: forEach.max,
    concurrency: forEach.concurrency ?? within.concurrencyMax,
    overflow: forEach.overflow ?? 'fail',
    onItemError: forEach.onItemError ?? 'fail',
  }
  return { value, problems, facts }
}

function forEachProblems(
  spec: CallSpec,
  at: FieldPath<ForEachSpec>,
  { callsMax }: CallWithin,
): readonly Problem[] {
  const problems: Problem[] = []
  if (spec.forEach !== undefined && spec.forEach.max > callsMax) {
    const sentence = `More items than the ${callsMax} calls that one request may cause; lower max, or raise limits.calls.`
    problems.push(at.child('max').problem('Invalid', sentence))
  }
  if (spec.forEach?.onItemError === 'fallback' && spec.fallback === undefined) {
    const sentence = 'There is no fallback to stand for an item; add one to the call.'
    problems.push(at.child('onItemError').problem('Invalid', sentence))
  }
  return problems
}

function compileCallHeaders(
  spec: CallSpec,
  at: At,
  inside: Within,
): CheckedWithFacts<Call['headers']> {
  const place = at.child('headers')
  const set = compileHeaders(spec.headers?.set ?? [], place.child('set'), inside, 'refused')
  const forward = [...new Set(spec.headers?.forward ?? (['trace'] as const))]
  return { value: { forward, set: set.value }, problems: set.problems, facts: set.facts }
}

function compileBody(spec: CallSpec, at: At, inside: Within): CheckedWithFacts<Call['body']> {
  if (spec.body === undefined) return NOTHING
  const tree = parseTree(spec.body, at.child('body'), inside)
  if (!isSafe(spec)) return tree
  const sentence = `A ${methodOf(spec)} call has no body; remove it, or use POST.`
  const problem = at.child('body').problem('Invalid', sentence)
  return { ...tree, problems: [...tree.problems, problem] }
}

function compileAfter(spec: CallSpec, at: At, within: CallWithin): Checked<readonly string[]> {
  const value: string[] = []
  const problems: Problem[] = []
  for (const [i, name] of (spec.after ?? []).entries()) {
    if (within.names.includes(name)) {
      value.push(name)
      continue
    }
    const hint = didYouMean(name, within.names)
    const sentence = `There is no call "${name}"${hint === '' ? '; name one of this aggregate.' : hint}`
    problems.push(at.child('after').index(i).problem('Invalid', sentence))
  }
  return { value, problems }
}

function compileTimeout(spec: CallSpec, at: At): Checked<number | null> {
  if (spec.timeout === undefined) return { value: null, problems: [] }
  return waitMs(spec.timeout, at.child('timeout'), '1ms')
}

/** An unsafe call may have acted already: no list of methods makes it safe. */
function compileCallRetry(spec: CallSpec, at: At): Checked<Retry | null> {
  if (spec.retry === undefined) return { value: null, problems: [] }
  const place = at.child('retry')
  if (isSafe(spec)) return compileRetry(spec.retry, place)
  const sentence = `A ${methodOf(spec)} call may have acted before it failed, so it is not tried again; remove retry.`
  return { value: null, problems: [place.problem('Invalid', sentence)] }
}

function compileExpect(spec: ExpectSpec, at: FieldPath<ExpectSpec>): Checked<Call['expect']> {
  const statuses: StatusRange[] = []
  const problems: Problem[] = []
  for (const [i, written] of (spec.status ?? []).entries()) {
    const range = statusRange(written)
    if (range !== null) {
      statuses.push(range)
      continue
    }
    const sentence = 'Write a status such as 200, a class such as 2xx, or a range such as 200-204.'
    problems.push(at.child('status').index(i).problem('Invalid', sentence))
  }
  const contentType = spec.contentType?.toLowerCase() ?? null
  return {
    value: { statuses: statuses.length === 0 ? [SUCCESS] : statuses, contentType },
    problems,
  }
}

function compileFallback(spec: CallSpec, at: At): Checked<Call['fallback']> {
  if (spec.fallback === undefined) return { value: null, problems: [] }
  const { value } = spec.fallback
  if (value === undefined) return { value: { kind: 'none' }, problems: [] }
  return {
    value: { kind: 'value', value },
    problems: fallbackProblems(value, at.child('fallback')),
  }
}

function fallbackProblems(value: Json, at: FieldPath<FallbackSpec>): readonly Problem[] {
  const text = JSON.stringify(value)
  const place = at.child('value')
  if (utf8Bytes(text) > FIXED_BODY_BYTES_MAX) {
    const sentence = `A fallback has at most ${FIXED_BODY_BYTES_MAX} bytes; shorten it.`
    return [place.problem('Invalid', sentence)]
  }
  if (!text.includes('${')) return []
  const sentence =
    'A fallback is a fixed value: ${…} in it stays text. Choose between values in the response.'
  return [place.warning('Invalid', sentence)]
}
