/**
 * The steps that make table objects, each with a look at its result: what no data plane would accept
 * is a problem of the one resource that it came from. A table with it could not be sent, and a table
 * that is not sent holds back the changes of everybody.
 * Pinned by sendable.test.ts: "what cannot be sent harms nothing but its own targets".
 */
import { checkValue } from '#wire/check'
import { FRAME_BYTES_MAX, TOTAL_TIMEOUT_MS } from '#wire/limits'
import type { Fault } from '#wire/shape'
import type { ObjectKind, Rule, ValueOf } from '#wire/table'
import { type Checked, FieldPath, type Problem } from './problem.ts'
import { rejecting } from './reject.ts'
import type { AuthParts, CompiledRule, LimitParts, Steps } from './steps.ts'

export function sendable(steps: Steps): Steps {
  return {
    compileRule: (rule, at, within) => ruleSendable(steps.compileRule(rule, at, within), at),
    compileAuthPart: (part, at, within) =>
      partSendable(steps.compileAuthPart(part, at, within), (value) => authFaults(value, at)),
    compileLimitPart: (part, at, within) =>
      partSendable(steps.compileLimitPart(part, at, within), (value) => limitFaults(value, at)),
    compileConsumer: (spec, at, resource) =>
      nullUnlessSendable('consumer', steps.compileConsumer(spec, at, resource), at),
    compileApiKey: (spec, at, within) =>
      nullUnlessSendable('apiKey', steps.compileApiKey(spec, at, within), at),
    // What it becomes is looked at with the rules that name it.
    compileApiBackend: steps.compileApiBackend,
  }
}

type Place = Pick<FieldPath<unknown>, 'text'>

function problem(at: Place, { path, sentence }: Fault): Problem {
  const where = path === '' ? 'It' : `In what it becomes, "${path.replace(/^\./, '')}"`
  const said = `${where} ${sentence}, so that no data plane could accept it; write less or otherwise.`
  return new FieldPath<unknown>(at.text).problem('Invalid', said)
}

function faultOf<K extends ObjectKind>(kind: K, value: ValueOf[K], at: Place): readonly Problem[] {
  const found = checkValue(kind, value) ?? tooLong(value)
  return found === null ? [] : [problem(at, found)]
}

/** Of one resource; the other half is for the names of policies, which come from others. */
const OWN_BYTES_MAX = FRAME_BYTES_MAX / 2

function tooLong(value: unknown): Fault | null {
  const text = JSON.stringify(value)
  // No character takes more than three bytes: most values need no second look.
  if (text.length * 3 <= OWN_BYTES_MAX || Buffer.byteLength(text) <= OWN_BYTES_MAX) return null
  return { path: '', sentence: `becomes longer than ${OWN_BYTES_MAX / 2 ** 20} MiB` }
}

// ---- rules ----------------------------------------------------------------------------------

function ruleSendable(
  { value, problems }: Checked<CompiledRule>,
  at: Place,
): Checked<CompiledRule> {
  const found = ruleFaults(value, at)
  if (found.length === 0) return { value, problems }
  const safe = { ...rejecting(value), totalTimeoutMs: TOTAL_TIMEOUT_MS }
  // A match less: the route sees that one of its matches is unknown, and none of its rules runs.
  const matches = value.matches.flatMap((match) =>
    ruleFaults({ ...safe, matches: [match] }, at).length === 0 ? [match] : [],
  )
  const kept = ruleFaults({ ...safe, matches }, at).length === 0 ? matches : []
  return { value: { ...safe, matches: kept }, problems: [...problems, ...found] }
}

function ruleFaults({ backends, traffic, ...rest }: CompiledRule, at: Place): readonly Problem[] {
  const own = { route: 'x', name: 'x', auth: { kind: 'open' }, limits: [] } as const
  const value: Rule = { ...rest, ...traffic, ...own }
  const found = faultOf('rule', value, at)
  return [...found, ...[...backends.values()].flatMap((one) => faultOf('backend', one, at))]
}

// ---- policies -------------------------------------------------------------------------------

/** One that cannot be enforced anyway is never sent: nothing is to be said of its form. */
function partSendable<P extends AuthParts | LimitParts>(
  checked: Checked<P>,
  faultsOf: (value: P) => readonly Problem[],
): Checked<P> {
  const { value, problems } = checked
  const found = problems.some(({ severity }) => severity === 'failure') ? [] : faultsOf(value)
  if (found.length === 0) return checked
  return { value: { ...value, usable: 'no' }, problems: [...problems, ...found] }
}

function authFaults(parts: AuthParts, at: Place): readonly Problem[] {
  const { authenticate, authorize, forward, deny } = parts
  return [
    ...(authenticate === null ? [] : faultOf('authenticate', authenticate, at)),
    ...(forward === null ? [] : faultOf('forward', forward, at)),
    ...(deny === null ? [] : faultOf('deny', deny, at)),
    ...[...authorize.values()].flatMap((entry) => faultOf('authorize', entry, at)),
  ]
}

function limitFaults({ limits }: LimitParts, at: Place): readonly Problem[] {
  return [...limits.values()].flatMap((limit) => faultOf('limit', limit, at))
}

// ---- consumers ------------------------------------------------------------------------------

function nullUnlessSendable<K extends ObjectKind>(
  kind: K,
  { value, problems }: Checked<ValueOf[K] | null>,
  at: Place,
): Checked<ValueOf[K] | null> {
  const found = value === null ? [] : faultOf(kind, value, at)
  return found.length === 0
    ? { value, problems }
    : { value: null, problems: [...problems, ...found] }
}
