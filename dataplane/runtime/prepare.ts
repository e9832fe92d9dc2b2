/**
 * What the builders of prepared parts may use, and how they say that something cannot be prepared.
 * runtime/build calls them when a table arrives, one rule at a time: phases/authenticate/build,
 * limits/build and phases/forward/build-aggregate stand beside the code that runs what they build.
 *
 * A builder never throws over a table and never answers less than was asked for: what it cannot
 * prepare becomes a Reject, which answers 503 in its place.
 * Proved by build.test.ts.
 */
import type { AggregateAction } from '#wire/aggregate'
import type { ApiKey, Consumer, RuleAuth } from '#wire/auth'
import type { ObjectKind, ValueOf } from '#wire/table'
import type {
  Expression,
  HeaderEdits,
  HeaderTemplate,
  Reject,
  Template,
  TemplateTree,
} from '#wire/value'
import type { PreparedLimit } from '../limits/limiter.ts'
import type { AuthEnvironment } from '../phases/authenticate/environment.ts'
import type { PreparedAuth } from '../phases/authenticate/prepared.ts'
import type { PreparedAggregate, PreparedTree } from '../phases/forward/prepared-aggregate.ts'
import type { Prepared, PreparedTemplate } from './expression-types.ts'
import type { Pattern } from './pattern.ts'
import type { PreparedHeader, PreparedHeaderEdits } from './runtime.ts'

/**
 * The objects of the new table. Every read is remembered, absent ones too, and the rule is built
 * again when one of them changes. Not to be kept after the builder has returned.
 */
export interface TableReader {
  get<K extends ObjectKind>(kind: K, key: string): ValueOf[K] | null
  /** This object cannot be executed here: goes to the controller as a Rejection. */
  reject(kind: ObjectKind, key: string, reason: string): void
}

/** Whatever could not be prepared; `because` is for the controller, never for a client. */
export interface Refused {
  readonly kind: 'refused'
  readonly because: string
}

/** Equal texts share one prepared form. `locals`: names of forEach variables in reach. */
export interface Preparer {
  expression(text: Expression, locals?: readonly string[]): Prepared | Refused
  template(template: Template, locals?: readonly string[]): PreparedTemplate | Refused
  tree(tree: TemplateTree, locals?: readonly string[]): PreparedTree | Refused
  /** One segment of a path, and a name or value of a query: what is interpolated is encoded. */
  segment(template: Template, locals?: readonly string[]): PreparedTemplate | Refused
  queryPart(template: Template, locals?: readonly string[]): PreparedTemplate | Refused
  pattern(text: string): Pattern | Refused
  header(header: HeaderTemplate, locals?: readonly string[]): PreparedHeader | Refused
  headers(
    headers: readonly HeaderTemplate[],
    locals?: readonly string[],
  ): readonly PreparedHeader[] | Refused
  headerEdits(edits: HeaderEdits): PreparedHeaderEdits | Refused
}

/**
 * The consumers and keys of the table that runs now. Live: a look-up at request time sees today's,
 * so that a key that was revoked opens nothing, and a new one needs no rule to be built again.
 */
export interface Directory {
  /** `sha256`: lower-case hex, as ApiKey.sha256. */
  apiKeys(sha256: string): readonly ApiKey[]
  /** `key`: namespace/name. */
  consumer(key: string): Consumer | null
  /** Names of the claims by which any Consumer is known to this issuer. */
  claimsOf(issuer: string): readonly string[]
  /** More than one where two Consumers state the same identity. */
  consumersOf(issuer: string, claim: string, value: string): readonly Consumer[]
}

/** What lives as long as its worker. Builders of other folders add here what they need. */
export interface PrepareEnvironment {
  readonly prepare: Preparer
  readonly directory: Directory
  readonly auth: AuthEnvironment
}

// ---- what runtime/build-rule calls ----------------------------------------------------------

/** phases/authenticate/build.ts: null where the rule is open. */
export type BuildAuth = (
  auth: RuleAuth,
  reader: TableReader,
  env: PrepareEnvironment,
) => PreparedAuth | Reject | null

/** limits/build.ts: in the order in which they are taken. */
export type BuildLimits = (
  rule: RuleLimits,
  reader: TableReader,
  env: PrepareEnvironment,
) => PreparedLimits | Reject

export interface RuleLimits {
  /** `namespace/name` of the route, and `namespace/route/rule`: for buckets that are theirs. */
  readonly route: string
  readonly rule: string
  /** Keys of limits. */
  readonly limits: readonly string[]
}

export interface PreparedLimits {
  readonly beforeAuth: readonly PreparedLimit[] | null
  readonly afterAuth: readonly PreparedLimit[] | null
}

/** phases/forward/build-aggregate.ts */
export type BuildAggregate = (
  action: AggregateAction,
  reader: TableReader,
  env: PrepareEnvironment,
) => PreparedAggregate | Refused
