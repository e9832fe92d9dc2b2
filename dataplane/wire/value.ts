/**
 * The small parts that the objects of a table are made of: values, expressions, templates, header
 * edits, and what stands where something unusable would.
 */

/** Values that can appear in bodies and fallbacks. Numbers keep JSON's own range. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/** The resource and the generation of it that a table object was made from. */
export interface Source {
  readonly kind: string
  /** `namespace/name` */
  readonly name: string
  readonly uid: string
  readonly generation: number
}

/** A CEL expression as written, already parsed and checked by the controller. */
export type Expression = string

/** Text with holes: literal parts and expressions in the order of the text. Never empty. */
export type Template = readonly (string | { readonly expr: Expression })[]

/**
 * A JSON document with holes. `template` with exactly one expression part keeps that value's type;
 * with more it is a string.
 */
export type TemplateTree =
  | { readonly kind: 'value'; readonly value: Json }
  | { readonly kind: 'template'; readonly template: Template }
  | {
      readonly kind: 'object'
      readonly fields: readonly { readonly name: string; readonly tree: TemplateTree }[]
    }
  | { readonly kind: 'list'; readonly items: readonly TemplateTree[] }

export interface HeaderValue {
  /** Lower-case field name. */
  readonly name: string
  readonly value: string
}

export interface HeaderTemplate {
  /** Lower-case field name. */
  readonly name: string
  readonly value: Template
  /** What a value that cannot be computed does: the header is left out, or the request gets 403. */
  readonly onFailure: 'remove' | 'refuse'
}

/** Applied in this order: remove, set (replaces all of that name), add. */
export interface HeaderEdits {
  readonly remove: readonly string[]
  readonly set: readonly HeaderTemplate[]
  readonly add: readonly HeaderTemplate[]
}

/** What stands where something unusable would: it answers, visibly, with the reason. */
export interface Reject {
  readonly kind: 'reject'
  readonly status: 500 | 503
  /** Word of x-fairlead-cause. */
  readonly cause: RejectCause
  /** Sentence shown to the client; names no secret and no address. */
  readonly because: string
}

export const REJECT_CAUSES = [
  'rule-invalid', // 500: the rule itself cannot be executed and no last valid spec is known
  'backend-invalid', // 500: this share of the backends cannot be resolved
  'policy-missing', // 503: no authentication applies and the rule is not public
  'policy-invalid', // 503: a policy that targets the rule cannot be enforced
  'too-large', // 503: the host is more than a data plane takes, or its gateway's table is full
] as const
export type RejectCause = (typeof REJECT_CAUSES)[number]

export type BackendTarget = { readonly kind: 'backend'; readonly backend: string } | Reject
