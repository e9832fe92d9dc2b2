/**
 * Answers that a rule gives by itself: a fixed one, and a redirect.
 * Pinned by answer.test.ts: "a fixed answer keeps its status, its headers and its body".
 */
import type { RedirectSpec, RespondSpec, RouteMatch } from '../../crds/api-route.ts'
import { utf8Bytes } from '#wire/expression-text'
import { FIXED_BODY_BYTES_MAX } from '#wire/limits'
import type { Action } from '#wire/table'
import type { Template } from '#wire/value'
import type { Within } from './expression.ts'
import { compileHeaders } from './header.ts'
import type { Captures } from './match.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { compilePathRewrite } from './rewrite.ts'
import { parseTemplate } from './template.ts'

export type RespondAction = Extract<Action, { kind: 'respond' }>
export type RedirectAction = Extract<Action, { kind: 'redirect' }>

export function compileRespond(
  spec: RespondSpec,
  at: FieldPath<RespondSpec>,
  within: Within,
): Checked<RespondAction> {
  const headers = compileHeaders(spec.headers ?? [], at.child('headers'), within, 'allowed')
  const body = compileBody(spec, at, within)
  const value: RespondAction = {
    kind: 'respond',
    status: spec.status,
    headers: headers.value,
    body: body.value,
  }
  return { value, problems: [...headers.problems, ...body.problems] }
}

/** RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5: such an answer ends with its head. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304])

function compileBody(
  spec: RespondSpec,
  at: FieldPath<RespondSpec>,
  within: Within,
): Checked<Template | null> {
  if (spec.body === undefined || spec.body === '') return { value: null, problems: [] }
  const place = at.child('body')
  if (WITHOUT_BODY.has(spec.status)) {
    const sentence = `An answer with status ${spec.status} has no body; remove it, or answer 200.`
    return { value: null, problems: [place.problem('Invalid', sentence)] }
  }
  const { value, problems } = parseTemplate(spec.body, place, within)
  if (value === null || literalBytes(value) <= FIXED_BODY_BYTES_MAX) return { value, problems }
  const sentence = `A fixed body has at most ${FIXED_BODY_BYTES_MAX} bytes; serve larger ones from a backend.`
  return { value: null, problems: [...problems, place.problem('Invalid', sentence)] }
}

function literalBytes(template: Template): number {
  return template.reduce((sum, part) => sum + (typeof part === 'string' ? utf8Bytes(part) : 0), 0)
}

// ---- redirect -------------------------------------------------------------------------------

const STATUSES = [301, 302, 303, 307, 308] as const
const STATUS_DEFAULT = 302

export function compileRedirect(
  spec: RedirectSpec,
  at: FieldPath<RedirectSpec>,
  captures: readonly Captures[],
): Checked<RedirectAction> {
  const status = compileStatus(spec, at)
  const path =
    spec.path === undefined ? NO_PATH : compilePathRewrite(spec.path, at.child('path'), captures)
  const value: RedirectAction = {
    kind: 'redirect',
    status: status.value,
    scheme: spec.scheme ?? null,
    host: spec.host ?? null,
    port: spec.port ?? null,
    path: path.value,
  }
  return { value, problems: [...status.problems, ...changesNothing(spec, at), ...path.problems] }
}

const NO_PATH: Checked<null> = { value: null, problems: [] }

function compileStatus(
  spec: RedirectSpec,
  at: FieldPath<RedirectSpec>,
): Checked<RedirectAction['status']> {
  const status = STATUSES.find((known) => known === (spec.status ?? STATUS_DEFAULT))
  if (status !== undefined) return { value: status, problems: [] }
  const problem = at.child('status').problem('Invalid', 'Write 301, 302, 303, 307 or 308.')
  return { value: STATUS_DEFAULT, problems: [problem] }
}

/** Clients would go round in circles. Which requests a condition leaves out, nobody can say here. */
export function loops(
  { scheme, host, port, path }: RedirectSpec,
  matches: readonly RouteMatch[],
  at: FieldPath<RedirectSpec>,
): readonly Problem[] {
  if (path === undefined || [scheme, host, port].some((part) => part !== undefined)) return []
  const isLoop = matches.some((match) => {
    const { path: taken, method, ...conditions } = match
    return taken === path && isAskedAgain(method) && Object.keys(conditions).length === 0
  })
  const sentence = 'This path is one that the rule itself takes: the redirect would lead to itself.'
  return isLoop ? [at.child('path').problem('Invalid', sentence)] : []
}

/** Other methods become GET on the way, where the status says so. */
function isAskedAgain(method: string | undefined): boolean {
  return method === undefined || method === 'GET' || method === 'HEAD'
}

function changesNothing(spec: RedirectSpec, at: FieldPath<RedirectSpec>): readonly Problem[] {
  const { scheme, host, port, path } = spec
  if ([scheme, host, port, path].some((part) => part !== undefined)) return []
  const sentence = 'A redirect must change something: write scheme, host, port or path.'
  return [at.problem('Invalid', sentence)]
}
