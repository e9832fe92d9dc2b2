/**
 * What a rule does, made ready: backends by weight, fixed answers rendered as far as they can be.
 * Pinned by build-action.test.ts: "weights become shares, and what is unusable keeps its own".
 */
import type { Action, WeightedBackend } from '#wire/table'
import type { BackendTarget } from '#wire/value'
import { buildAggregate } from '../phases/forward/build-aggregate.ts'
import type { PrepareEnvironment, Refused, TableReader } from './prepare.ts'
import { constantText, isRefused } from './preparer.ts'
import type { PreparedAction, PreparedProxy, PreparedRespond } from './runtime.ts'

export function buildAction(
  action: Action,
  reader: TableReader,
  env: PrepareEnvironment,
): PreparedAction | Refused {
  switch (action.kind) {
    case 'proxy':
      return buildProxy(action.backends, reader, env)
    case 'aggregate':
      return buildAggregate(action, reader, env)
    case 'respond':
      return buildRespond(action, env)
    case 'redirect':
    case 'reject':
      return action
    default:
      return action satisfies never
  }
}

function buildProxy(
  backends: readonly WeightedBackend[],
  reader: TableReader,
  env: PrepareEnvironment,
): PreparedProxy | Refused {
  const conditional: Conditional[] = []
  for (const { when, to } of backends) {
    if (when === null) continue
    const prepared = env.prepare.expression(when)
    if (isRefused(prepared)) return prepared
    conditional.push({ when: prepared, to: known(to, reader) })
  }
  const weighted = shares(backends, reader)
  return {
    kind: 'proxy',
    conditional: conditional.length === 0 ? null : conditional,
    single: weighted.length === 1 ? (weighted[0]?.to ?? null) : null,
    weighted,
  }
}

type Conditional = NonNullable<PreparedProxy['conditional']>[number]

function shares(
  backends: readonly WeightedBackend[],
  reader: TableReader,
): PreparedProxy['weighted'] {
  const weighted: { upTo: number; to: BackendTarget }[] = []
  for (const { when, weight, to } of backends) {
    if (when !== null || weight <= 0) continue
    weighted.push({ upTo: (weighted.at(-1)?.upTo ?? 0) + weight, to: known(to, reader) })
  }
  return weighted
}

/** The contract refuses such tables; should one arrive, its share fails visibly. */
function known(to: BackendTarget, reader: TableReader): BackendTarget {
  if (to.kind === 'reject' || reader.get('backend', to.backend) !== null) return to
  return {
    kind: 'reject',
    status: 500,
    cause: 'backend-invalid',
    because: 'A backend of this route is unknown to this data plane.',
  }
}

function buildRespond(
  { status, headers, body }: Extract<Action, { kind: 'respond' }>,
  env: PrepareEnvironment,
): PreparedRespond | Refused {
  const prepared = env.prepare.headers(headers)
  if (isRefused(prepared)) return prepared
  if (body === null) return { kind: 'respond', status, headers: prepared, body: null }
  const constant = constantText(body)
  const text = constant === null ? env.prepare.template(body) : Buffer.from(constant, 'utf8')
  return isRefused(text) ? text : { kind: 'respond', status, headers: prepared, body: text }
}
