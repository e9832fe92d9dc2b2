/**
 * One answer from several calls: `aggregate` of a rule. Their order follows from what their
 * expressions name; what cannot end, or could end half done, is refused here.
 * Pinned by aggregate.test.ts: "dependencies are inferred, and each call comes after its own".
 */
import type { AggregateSpec, CallSpec } from '../../crds/aggregate.ts'
import type { AggregateAction, Call } from '#wire/aggregate'
import {
  AGGREGATE_BYTES_MAX,
  AGGREGATE_CALLS_MAX,
  AGGREGATE_CONCURRENCY_MAX,
  AGGREGATE_DEADLINE_MS,
} from '#wire/limits'
import type { Backend } from '#wire/table'
import type { Reject, TemplateTree } from '#wire/value'
import { type CallWithin, compileCall, isSafe } from './aggregate-call.ts'
import { callOrder } from './call-order.ts'
import { fieldsOf } from './content.ts'
import type { Within } from './expression.ts'
import { compileHeaders } from './header.ts'
import { isOwnFailure } from './last-valid.ts'
import { type Checked, FieldPath, type Problem } from './problem.ts'
import { sizeBytes, waitMs } from './quantity.ts'
import type { RuleWithin } from './steps.ts'
import { parseTemplate, parseTree } from './template.ts'

export interface CompiledAggregate {
  readonly action: AggregateAction | Reject
  readonly backends: ReadonlyMap<string, Backend>
}

type At = FieldPath<AggregateSpec>

export function compileAggregate(
  spec: AggregateSpec,
  at: At,
  within: RuleWithin,
): Checked<CompiledAggregate> {
  const limits = compileLimits(spec, at)
  const expressions = expressionsOf(spec)
  const calls = compileCalls(spec, at, { ...within, ...limits.value, expressions })
  const response = compileResponse(spec, at, expressions)
  const problems = [
    ...limits.problems,
    ...calls.problems,
    ...response.problems,
    ...unsafeCalls(spec, at),
  ]
  const broken = problems.some(isOwnFailure)
  if (broken || response.value === null) {
    return { value: { action: REJECT, backends: new Map() }, problems }
  }
  const action: AggregateAction = {
    kind: 'aggregate',
    ...limits.value,
    errors: errorsOf(spec),
    calls: calls.value.calls,
    response: response.value,
  }
  return { value: { action, backends: calls.value.backends }, problems }
}

const REJECT: Reject = {
  kind: 'reject',
  status: 500,
  cause: 'rule-invalid',
  because: 'This aggregate cannot be executed; the status of its route says why.',
}

function expressionsOf(spec: AggregateSpec): Within {
  const calls = Object.keys(spec.calls).toSorted()
  const forEachCalls = calls.flatMap((name) => (spec.calls[name]?.forEach ? [name] : []))
  return { place: 'aggregate', calls, forEachCalls }
}

// ---- limits ---------------------------------------------------------------------------------

type Limits = Pick<AggregateAction, 'deadlineMs' | 'callsMax' | 'concurrencyMax' | 'totalBytesMax'>

function compileLimits(spec: AggregateSpec, at: At): Checked<Limits> {
  const deadline =
    spec.deadline === undefined ? NONE : waitMs(spec.deadline, at.child('deadline'), '1ms')
  const bytes = compileTotalBytes(spec, at)
  const callsMax = spec.limits?.calls ?? AGGREGATE_CALLS_MAX
  const problems = [...deadline.problems, ...bytes.problems]
  const written = Object.keys(spec.calls).length
  if (written > callsMax) {
    const sentence = `There are ${written} calls, but limits.calls allows ${callsMax}; raise it.`
    problems.push(at.child('limits').child('calls').problem('Invalid', sentence))
  }
  const value: Limits = {
    deadlineMs: deadline.value ?? AGGREGATE_DEADLINE_MS,
    callsMax,
    concurrencyMax: spec.limits?.concurrency ?? AGGREGATE_CONCURRENCY_MAX,
    totalBytesMax: bytes.value ?? AGGREGATE_BYTES_MAX,
  }
  return { value, problems }
}

const NONE: Checked<null> = { value: null, problems: [] }

/** Every worker may hold this much for each request in flight. */
const TOTAL_BYTES_MAX = 1024 ** 3

function compileTotalBytes(spec: AggregateSpec, at: At): Checked<number | null> {
  const written = spec.limits?.totalBytes
  if (written === undefined) return NONE
  const bytes = sizeBytes(written)
  if (bytes !== null && bytes >= 1 && bytes <= TOTAL_BYTES_MAX) {
    return { value: bytes, problems: [] }
  }
  const place = at.child('limits').child('totalBytes')
  return { value: null, problems: [place.problem('Invalid', 'Write a size up to 1Gi, as in 8Mi.')] }
}

// ---- calls ----------------------------------------------------------------------------------

interface CompiledCalls {
  readonly calls: readonly Call[]
  readonly backends: ReadonlyMap<string, Backend>
}

type CallsWithin = Omit<CallWithin, 'name' | 'names'>

function compileCalls(spec: AggregateSpec, at: At, within: CallsWithin): Checked<CompiledCalls> {
  const names = Object.keys(spec.calls).toSorted()
  const problems: Problem[] = []
  const backends = new Map<string, Backend>()
  const calls = new Map<string, Call>()
  const dependencies = new Map<string, readonly string[]>()
  for (const name of names) {
    const call = spec.calls[name]
    if (call === undefined) continue
    const compiled = compileCall(call, at.child('calls').key(name), { ...within, name, names })
    problems.push(...compiled.problems)
    dependencies.set(name, compiled.value.dependsOn)
    for (const [key, backend] of compiled.value.backends) backends.set(key, backend)
    if (compiled.value.call !== null) calls.set(name, compiled.value.call)
  }
  const order = callOrder(dependencies)
  if (order.kind === 'cycle') problems.push(cycleProblem(order.names, at))
  const ordered = order.names.flatMap((name) => calls.get(name) ?? [])
  return { value: { calls: ordered, backends }, problems }
}

function cycleProblem(cycle: readonly string[], at: At): Problem {
  const place = at.child('calls').key(cycle[0] ?? '')
  if (cycle.length === 2) {
    const sentence = 'The call refers to its own answer, which is not there before it is made.'
    return place.problem('Invalid', `${sentence} Remove the reference.`)
  }
  const sentence = `Each of these calls waits for the next one: ${cycle.join(' → ')}.`
  return place.problem('Invalid', `${sentence} Remove one of the references.`)
}

function unsafeCalls(spec: AggregateSpec, at: At): readonly Problem[] {
  if (spec.acknowledge?.includes('unsafeCalls')) return []
  const unsafe = Object.keys(spec.calls)
    .toSorted()
    .flatMap((name) => unsafeTimes(name, spec.calls[name]))
  if (unsafe.length < 2) return []
  const which = [...new Set(unsafe)].join(', ')
  const sentence =
    `More than one call may change something (${which}), and some may happen while others do not; ` +
    'if that is acceptable, write acknowledge: [unsafeCalls].'
  return [at.problem('Invalid', sentence)]
}

/** With forEach one unsafe call is already several. */
function unsafeTimes(name: string, call: CallSpec | undefined): readonly string[] {
  if (call === undefined || isSafe(call)) return []
  return call.forEach === undefined ? [name] : [name, name]
}

// ---- response -------------------------------------------------------------------------------

function errorsOf(spec: AggregateSpec): AggregateAction['errors'] {
  return { field: spec.errors?.field ?? '_errors', detail: spec.errors?.detail ?? 'summary' }
}

function compileResponse(
  spec: AggregateSpec,
  at: At,
  expressions: Within,
): Checked<AggregateAction['response'] | null> {
  const place = at.child('response')
  const status = compileStatus(spec, at, expressions)
  const { headers: written = [] } = spec.response
  const headers = compileHeaders(written, place.child('headers'), expressions, 'allowed')
  const body = parseTree(spec.response.body, place.child('body'), expressions)
  const problems = [...status.problems, ...headers.problems, ...body.problems]
  if (body.value === null) return { value: null, problems }
  problems.push(...takenField(body.value, spec, at))
  return { value: { status: status.value, headers: headers.value, body: body.value }, problems }
}

function compileStatus(
  spec: AggregateSpec,
  at: At,
  expressions: Within,
): Checked<AggregateAction['response']['status']> {
  const { status } = spec.response
  if (status === undefined) return NONE
  if (typeof status === 'number') return { value: [String(status)], problems: [] }
  const place = at.child('response').child('status')
  return parseTemplate(status, new FieldPath<string>(place.text), expressions)
}

/** The list of what failed would hide the field, or be hidden by it. */
function takenField(body: TemplateTree, spec: AggregateSpec, at: At): readonly Problem[] {
  const { field, detail } = errorsOf(spec)
  if (detail === 'none' || !fieldNames(body).includes(field)) return []
  const sentence = `The field "${field}" lists the calls that failed; rename yours, or set errors.field.`
  return [at.child('response').child('body').problem('Invalid', sentence)]
}

/** A document without holes is one value. */
function fieldNames(body: TemplateTree): readonly string[] {
  if (body.kind === 'object') return body.fields.map(({ name }) => name)
  return body.kind === 'value' ? Object.keys(fieldsOf(body.value)) : []
}
