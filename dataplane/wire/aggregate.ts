/**
 * One answer made from several calls: the action that an `aggregate` becomes in a table.
 */
import type { Retry } from './delivery.ts'
import type {
  BackendTarget,
  Expression,
  HeaderTemplate,
  Json,
  Template,
  TemplateTree,
} from './value.ts'

export interface AggregateAction {
  readonly kind: 'aggregate'
  readonly deadlineMs: number
  readonly callsMax: number
  readonly concurrencyMax: number
  readonly totalBytesMax: number
  readonly errors: { readonly field: string; readonly detail: 'none' | 'summary' | 'full' }
  /** In an order in which every call comes after those it depends on. */
  readonly calls: readonly Call[]
  readonly response: {
    /** A whole number template or literal; null: 200. */
    readonly status: Template | null
    readonly headers: readonly HeaderTemplate[]
    readonly body: TemplateTree
  }
}

export interface Call {
  readonly name: string
  /** Names of calls that must be settled first: inferred from expressions, and `after`. */
  readonly dependsOn: readonly string[]
  readonly when: Expression | null
  readonly forEach: ForEach | null
  readonly backend: BackendTarget
  readonly method: string
  readonly path: CallPath
  readonly headers: {
    readonly forward: readonly ('identity' | 'trace')[]
    readonly set: readonly HeaderTemplate[]
  }
  readonly body: TemplateTree | null
  readonly timeoutMs: number | null
  readonly expect: {
    /** Inclusive ranges. */
    readonly statuses: readonly { readonly from: number; readonly to: number }[]
    readonly contentType: string | null
  }
  /** Null: the call is required, its failure decides the answer. */
  readonly fallback:
    | { readonly kind: 'none' }
    | { readonly kind: 'value'; readonly value: Json }
    | null
  readonly retry?: Retry
}

/** Only literal text holds `/ ? # &`; every hole is one segment, or one query name or value. */
export interface CallPath {
  readonly segments: readonly Template[]
  readonly query: readonly { readonly name: Template; readonly value: Template }[]
}

export interface ForEach {
  readonly in: Expression
  /** Variable that holds the item in the call's own expressions. */
  readonly as: string
  /** With it the result is a map, without it a list. */
  readonly key: Expression | null
  readonly max: number
  readonly concurrency: number
  readonly overflow: 'fail' | 'truncate'
  readonly onItemError: 'fail' | 'fallback' | 'omit'
}
