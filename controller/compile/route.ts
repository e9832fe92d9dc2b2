/**
 * One rule of a route: its matches, what is changed on the way, and its one action. A rule that
 * cannot be executed as written stays, rejects, and takes exactly the requests that it would have
 * taken: it neither vanishes nor lets them fall through to a wider rule.
 * Pinned by route.test.ts: "a rule that cannot be executed rejects and keeps its matches".
 */
import type { RouteRule } from '../../crds/api-route.ts'
import { TOTAL_TIMEOUT_MS } from '#wire/limits'
import type { Action, Backend } from '#wire/table'
import type { HeaderEdits } from '#wire/value'
import { compileAggregate } from './aggregate.ts'
import { compileRedirect, compileRespond, loops } from './answer.ts'
import { compileBackends } from './backend.ts'
import type { Within } from './expression.ts'
import { compileHeaderEdits, refuseRequired } from './header.ts'
import { isOwnFailure } from './last-valid.ts'
import { type Captures, type CompiledMatch, compileMatch } from './match.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { waitMs } from './quantity.ts'
import { rejecting, RULE_INVALID } from './reject.ts'
import { compileRewrite } from './rewrite.ts'
import type { CompileRule, RuleWithin } from './steps.ts'
import { notSupportedYet } from './supported.ts'
import { compileTraffic } from './traffic.ts'

export const compileRule: CompileRule = (rule, at, within) => {
  const matches = compileMatches(rule, at)
  const captures = matches.value.map((match) => match.captures)
  const edits = compileEdits(rule, at, captures)
  const timeout = compileTimeout(rule, at)
  const traffic = compileTraffic(rule, at, within)
  const action = compileAction(rule, at, { ...within, captures })
  const problems = [
    ...notSupportedYet('rule', rule, at),
    ...matches.problems,
    ...edits.problems,
    ...timeout.problems,
    ...traffic.problems,
    ...action.problems,
    ...withoutEffect(rule, at),
  ]
  // A missing Service is not the rule's own fault: single backends tell of it instead.
  const broken = problems.some(isOwnFailure)
  const value = {
    matches: matches.value.map(({ match }) => match),
    ...edits.value,
    totalTimeoutMs: timeout.value,
    traffic: traffic.value.traffic,
    action: action.value.action,
    backends: new Map([...action.value.backends, ...traffic.value.backends]),
  }
  return { value: broken ? rejecting(value) : value, problems }
}

const NO_BACKENDS: ReadonlyMap<string, Backend> = new Map()

/** Only what goes to backends can be rewritten; an aggregate's calls name their own headers. */
function withoutEffect(rule: RouteRule, at: FieldPath<RouteRule>): readonly Problem[] {
  if (rule.backends !== undefined) return []
  const edits = (['rewrite', 'requestHeaders'] as const).flatMap((field) => {
    if (rule[field] === undefined) return []
    const sentence = `Without backends ${field} changes nothing; remove it.`
    return [at.child(field).warning('Invalid', sentence)]
  })
  const times = (['firstByte', 'connect', 'idle'] as const).flatMap((field) => {
    if (rule.timeouts?.[field] === undefined) return []
    const sentence = `Without backends timeouts.${field} changes nothing; remove it.`
    return [at.child('timeouts').child(field).warning('Invalid', sentence)]
  })
  return [...edits, ...times]
}

/** Where the rule's own expressions stand: after authentication, unless the match asks. */
function expressionsOf(rule: RouteRule, place: 'match' | 'policy'): Within {
  return { place, readBody: rule.readBody === undefined ? 'no' : 'yes' }
}

function compileMatches(
  rule: RouteRule,
  at: FieldPath<RouteRule>,
): Checked<readonly CompiledMatch[]> {
  const value: CompiledMatch[] = []
  const problems: Problem[] = []
  for (const [i, spec] of rule.match.entries()) {
    const place = at.child('match').index(i)
    const match = compileMatch(spec, place, expressionsOf(rule, 'match'))
    problems.push(...match.problems)
    if (match.value !== null) value.push(match.value)
  }
  return { value, problems }
}

type Edits = Pick<
  ReturnType<CompileRule>['value'],
  'rewrite' | 'requestHeaders' | 'responseHeaders'
>

function compileEdits(
  rule: RouteRule,
  at: FieldPath<RouteRule>,
  captures: readonly Captures[],
): Checked<Edits> {
  const rewrite =
    rule.rewrite === undefined
      ? NOTHING
      : compileRewrite(rule.rewrite, at.child('rewrite'), captures)
  const request = compileHeaderField(rule, at, 'requestHeaders')
  const response = compileHeaderField(rule, at, 'responseHeaders')
  return {
    value: {
      rewrite: rewrite.value,
      requestHeaders: request.value,
      responseHeaders: response.value,
    },
    problems: [...rewrite.problems, ...request.problems, ...response.problems],
  }
}

const NOTHING: Checked<null> = { value: null, problems: [] }

function compileHeaderField(
  rule: RouteRule,
  at: FieldPath<RouteRule>,
  field: 'requestHeaders' | 'responseHeaders',
): Checked<HeaderEdits | null> {
  const spec = rule[field]
  if (spec === undefined) return NOTHING
  const place = at.child(field)
  const edits = compileHeaderEdits(spec, place, expressionsOf(rule, 'policy'))
  if (field === 'requestHeaders') return edits
  return { value: edits.value, problems: [...edits.problems, ...refuseRequired(spec, place)] }
}

function compileTimeout(rule: RouteRule, at: FieldPath<RouteRule>): Checked<number> {
  const total = rule.timeouts?.total
  if (total === undefined) return { value: TOTAL_TIMEOUT_MS, problems: [] }
  const { value, problems } = waitMs(total, at.child('timeouts').child('total'), '1ms')
  return { value: value ?? TOTAL_TIMEOUT_MS, problems }
}

// ---- the action -----------------------------------------------------------------------------

interface ActionWithin extends RuleWithin {
  readonly captures: readonly Captures[]
}

interface CompiledAction {
  readonly action: Action
  readonly backends: ReadonlyMap<string, Backend>
}

const ACTIONS = ['backends', 'aggregate', 'respond', 'redirect', 'batch'] as const

function compileAction(
  rule: RouteRule,
  at: FieldPath<RouteRule>,
  within: ActionWithin,
): Checked<CompiledAction> {
  const stated = ACTIONS.flatMap((name) => (rule[name] === undefined ? [] : [name]))
  if (stated.length === 1) return compileStated(rule, at, within)
  const found = stated.length === 0 ? 'There is none' : `There are ${stated.join(', ')}`
  const sentence = `A rule does exactly one of ${ACTIONS.join(', ')}. ${found}.`
  return { value: withoutBackends(RULE_INVALID), problems: [at.problem('Invalid', sentence)] }
}

function withoutBackends(action: Action): CompiledAction {
  return { action, backends: NO_BACKENDS }
}

function compileStated(
  rule: RouteRule,
  at: FieldPath<RouteRule>,
  within: ActionWithin,
): Checked<CompiledAction> {
  const expressions = expressionsOf(rule, 'policy')
  if (rule.backends !== undefined) {
    const { value, problems } = compileBackends(rule.backends, at.child('backends'), {
      ...within,
      expressions,
    })
    const action: Action = { kind: 'proxy', backends: value.weighted }
    return { value: { action, backends: value.backends }, problems }
  }
  if (rule.aggregate !== undefined) {
    return compileAggregate(rule.aggregate, at.child('aggregate'), within)
  }
  if (rule.respond !== undefined) {
    const respond = compileRespond(rule.respond, at.child('respond'), expressions)
    return { value: withoutBackends(respond.value), problems: respond.problems }
  }
  if (rule.redirect === undefined) return { value: withoutBackends(RULE_INVALID), problems: [] }
  const redirect = compileRedirect(rule.redirect, at.child('redirect'), within.captures)
  const circles = loops(rule.redirect, rule.match, at.child('redirect'))
  return { value: withoutBackends(redirect.value), problems: [...redirect.problems, ...circles] }
}
