/**
 * One rule made ready, with everything that it refers to: called when the rule or something that it
 * read has changed. It always gives a rule; what cannot be prepared answers 503 in its place.
 * Pinned by build-rule.test.ts: "a rule that cannot be prepared answers 503 wherever it could match".
 */
import type { Rule } from '#wire/table'
import type { HeaderEdits } from '#wire/value'
import { buildLimits } from '../limits/build.ts'
import { buildAuth } from '../phases/authenticate/build.ts'
import { prepareDelivery } from '../upstream/delivery.ts'
import { buildAction } from './build-action.ts'
import { buildMatch } from './build-match.ts'
import type { PrepareEnvironment, PreparedLimits, TableReader } from './prepare.ts'
import type { PreparedMatch } from './prepared-match.ts'
import { buildTraffic } from './build-traffic.ts'
import { isRefused } from './preparer.ts'
import type { PreparedHeaderEdits, PreparedRule, Rejected } from './runtime.ts'

export interface BuiltRule {
  readonly rule: PreparedRule
  readonly matches: readonly PreparedMatch[]
}

const REJECTED: Rejected = {
  kind: 'reject',
  status: 503,
  cause: 'rule-rejected',
  because: 'This data plane cannot execute the matching route.',
}

const NO_LIMITS: PreparedLimits = { beforeAuth: null, afterAuth: null }

export function buildRule(
  key: string,
  rule: Rule,
  reader: TableReader,
  env: PrepareEnvironment,
): BuiltRule {
  const refusals: string[] = []
  const matches = rule.matches.map((match) => buildMatch(match, env.prepare, refusals))
  const limits = buildLimits({ route: rule.route, rule: key, limits: rule.limits }, reader, env)
  const action = buildAction(rule.action, reader, env)
  if (isRefused(action)) refusals.push(`action: ${action.because}`)
  const requestHeaders = buildEdits(rule.requestHeaders, env, refusals)
  const responseHeaders = buildEdits(rule.responseHeaders, env, refusals)
  const auth = buildAuth(rule.auth, reader, env)
  if (refusals.length > 0) reader.reject('rule', key, refusals.join('; '))
  const { beforeAuth, afterAuth } = 'kind' in limits ? NO_LIMITS : limits
  return {
    matches,
    rule: {
      route: rule.route,
      name: rule.name,
      key,
      // Limits that cannot be kept close the rule where its policy would have been asked.
      auth: 'kind' in limits && auth?.kind !== 'reject' ? limits : auth,
      limitsBeforeAuth: beforeAuth,
      limitsAfterAuth: afterAuth,
      rewrite: rule.rewrite,
      requestHeaders,
      responseHeaders,
      totalTimeoutMs: rule.totalTimeoutMs,
      delivery: prepareDelivery(rule.delivery),
      action: refusals.length > 0 || isRefused(action) ? REJECTED : action,
      ...buildTraffic(rule),
    },
  }
}

function buildEdits(
  edits: HeaderEdits | null,
  env: PrepareEnvironment,
  refusals: string[],
): PreparedHeaderEdits | null {
  if (edits === null) return null
  const prepared = env.prepare.headerEdits(edits)
  if (!isRefused(prepared)) return prepared
  refusals.push(`headers: ${prepared.because}`)
  return null
}
