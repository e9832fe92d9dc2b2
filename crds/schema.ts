/**
 * The building blocks of every schema: typebox nodes that Kubernetes can read as a structural schema,
 * with what the decoder and the reference need beside them. A node's type is derived, never written.
 * Pinned by emit.test.ts: "every manifest is a structural schema without a forbidden keyword".
 */
import { type TSchema, type TUnsafe, Type } from 'typebox'

/** What the reference and `kubectl explain` say about a field. */
export interface Doc {
  readonly about?: string
  /** As it would stand in YAML. */
  readonly example?: string
  /** What holds where the field is absent; applied by compile, never by the API server. */
  readonly absent?: string
}

/**
 * A rule beyond structure, in the two languages that judge it: CEL in the API server, `check` in the
 * decoder. `cel` is null only where CEL cannot see the value (free-form content).
 */
export interface Rule<T> {
  readonly cel: string | null
  /** What to do about it; shown by both sides. */
  readonly message: string
  /** True where the value keeps the rule. It is only called with a structurally valid value. */
  check(value: T): boolean
  /** A better sentence where the value is at hand. */
  say?(value: T): string
  /** The field that is to blame, where it is not the node itself. */
  readonly at?: string
}

/** How the text of a string is read, where it is parsed; the reference marks the first two. */
export type Form = 'expression' | 'template' | 'pattern'

/** The static type of a schema. */
export type Spec<S> = S extends TUnsafe<infer T> ? T : never

/** Any JSON value: content whose shape is the user's own. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }

/** What the emitter and the decoder see of a node. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode
  readonly items?: SchemaNode
  readonly enum?: readonly (string | boolean | number)[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-int-or-string'?: true
  readonly 'x-kubernetes-preserve-unknown-fields'?: true
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly pattern?: string
  // Ours; the emitter leaves them out.
  readonly rules?: readonly Rule<unknown>[]
  readonly form?: Form
  readonly example?: string
  /** What to write where a bound of this node is not kept. */
  readonly hint?: string
  /** `pattern`, ready to be used. */
  readonly compiled?: RegExp
}

type Members = Readonly<Record<string, TSchema>>
/** Inferred through a conditional, so that editors show the fields and not the alias. */
type Flat<T> = T extends infer U ? { readonly [K in keyof U]: U[K] } : never
type Shape<R, O> = Flat<
  { readonly [K in keyof R & string]: Spec<R[K]> } & {
    readonly [K in keyof O & string]?: Spec<O[K]>
  }
>
declare const NONE: unique symbol
type NoMembers = { readonly [NONE]?: TSchema }

interface FieldsOptions<R extends Members, O extends Members> extends Doc {
  readonly required?: R
  readonly optional?: O
  readonly rules?: readonly Rule<NoInfer<Shape<R, O>>>[]
  /** Exactly one of the fields, where CEL cannot tell because one of them is free-form. */
  readonly exactlyOne?: string
}

/** An object with named fields. */
export function Fields<R extends Members = NoMembers, O extends Members = NoMembers>(
  options: FieldsOptions<R, O>,
): TUnsafe<Shape<R, O>> {
  const { required = {}, optional = {}, exactlyOne } = options
  const bounds =
    exactlyOne === undefined ? {} : { minProperties: 1, maxProperties: 1, hint: exactlyOne }
  const names = Object.keys(required)
  return Type.Unsafe<Shape<R, O>>({
    type: 'object',
    ...described(options),
    properties: { ...required, ...optional },
    ...(names.length === 0 ? {} : { required: names }),
    ...bounds,
    ...ruled(options.rules),
  })
}

interface TextOptions extends Doc {
  readonly max: number
  readonly min?: number
  readonly rules?: readonly Rule<string>[]
  readonly form?: Form
}

export function Text(options: TextOptions): TUnsafe<string> {
  return Type.Unsafe<string>({
    type: 'string',
    ...described(options),
    ...(options.min === undefined ? {} : { minLength: options.min }),
    maxLength: options.max,
    ...(options.form === undefined ? {} : { form: options.form }),
    ...ruled(options.rules),
  })
}

interface ChoiceOptions<V extends string> extends Doc {
  readonly of: readonly V[]
}

/** One word of a closed set. */
export function Choice<const V extends string>(options: ChoiceOptions<V>): TUnsafe<V> {
  return Type.Unsafe<V>({ type: 'string', ...described(options), enum: [...options.of] })
}

export function Flag(doc: Doc): TUnsafe<boolean> {
  return Type.Unsafe<boolean>({ type: 'boolean', ...described(doc) })
}

interface OnlyTrueOptions extends Doc {
  /** What to do instead of writing `false`. */
  readonly instead: string
}

/** A flag that is either `true` or absent. */
export function OnlyTrue(options: OnlyTrueOptions): TUnsafe<true> {
  const rule: Rule<boolean> = { cel: 'self', message: options.instead, check: (value) => value }
  return Type.Unsafe<true>({ type: 'boolean', ...described(options), rules: [rule] })
}

interface IntOptions extends Doc {
  readonly min: number
  readonly max: number
  readonly rules?: readonly Rule<number>[]
}

export function Int(options: IntOptions): TUnsafe<number> {
  const bounds = { minimum: options.min, maximum: options.max }
  const rules = ruled(options.rules)
  return Type.Unsafe<number>({ type: 'integer', ...described(options), ...bounds, ...rules })
}

interface IntOrTextOptions extends Doc {
  readonly min: number
  readonly max: number
  readonly maxLength: number
  /** Of the text. CEL takes such a value to be 3 MB long, so that a rule would cost too much. */
  readonly pattern: string
  readonly hint: string
  readonly form?: Form
}

/** A number, or text where a number cannot say it. */
export function IntOrText(options: IntOrTextOptions): TUnsafe<number | string> {
  return Type.Unsafe<number | string>({
    ...described(options),
    'x-kubernetes-int-or-string': true,
    minimum: options.min,
    maximum: options.max,
    maxLength: options.maxLength,
    pattern: options.pattern,
    compiled: new RegExp(options.pattern, 'u'),
    hint: options.hint,
    ...(options.form === undefined ? {} : { form: options.form }),
  })
}

interface ListOptions<S extends TSchema> extends Doc {
  readonly item: S
  readonly max: number
  readonly min?: number
  /** Server-side apply merges such a list entry by entry; the field must be required. */
  readonly keyedBy?: string
  readonly rules?: readonly Rule<NoInfer<readonly Spec<S>[]>>[]
}

export function List<S extends TSchema>(options: ListOptions<S>): TUnsafe<readonly Spec<S>[]> {
  const { keyedBy } = options
  const listType =
    keyedBy === undefined
      ? { 'x-kubernetes-list-type': 'atomic' }
      : { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [keyedBy] }
  return Type.Unsafe<readonly Spec<S>[]>({
    type: 'array',
    ...described(options),
    items: options.item,
    ...(options.min === undefined ? {} : { minItems: options.min }),
    maxItems: options.max,
    ...listType,
    ...ruled(options.rules),
  })
}

interface NamedOptions<S extends TSchema> extends Doc {
  readonly value: S
  readonly max: number
  readonly min?: number
  readonly rules?: readonly Rule<NoInfer<{ readonly [name: string]: Spec<S> }>>[]
}

/** An object whose keys the user chooses. Keys have no order: the API server sorts them. */
export function Named<S extends TSchema>(
  options: NamedOptions<S>,
): TUnsafe<{ readonly [name: string]: Spec<S> }> {
  return Type.Unsafe<{ readonly [name: string]: Spec<S> }>({
    type: 'object',
    ...described(options),
    additionalProperties: options.value,
    ...(options.min === undefined ? {} : { minProperties: options.min }),
    maxProperties: options.max,
    ...ruled(options.rules),
  })
}

interface FreeFormOptions extends Doc {
  readonly form?: Form
}

/** Any JSON value. CEL in the API server cannot see it. */
export function FreeForm(options: FreeFormOptions): TUnsafe<Json> {
  return Type.Unsafe<Json>({
    ...described(options),
    'x-kubernetes-preserve-unknown-fields': true,
    ...(options.form === undefined ? {} : { form: options.form }),
  })
}

interface FreeFormObjectOptions<R extends Members, O extends Members> extends Doc {
  readonly required: R
  readonly optional: O
  readonly rules?: readonly Rule<{ readonly [name: string]: Json }>[]
}

/** An object of the user's own shape, of which some fields are known. */
export function FreeFormObject<R extends Members, O extends Members>(
  options: FreeFormObjectOptions<R, O>,
): TUnsafe<{ readonly [name: string]: Json }> {
  const names = Object.keys(options.required)
  return Type.Unsafe<{ readonly [name: string]: Json }>({
    type: 'object',
    ...described(options),
    properties: { ...options.required, ...options.optional },
    ...(names.length === 0 ? {} : { required: names }),
    'x-kubernetes-preserve-unknown-fields': true,
    ...ruled(options.rules),
  })
}

interface Described {
  readonly description?: string
  readonly example?: string
}

function described({ about, example, absent }: Doc): Described {
  if (about === undefined) return example === undefined ? {} : { example }
  const parts = [
    about,
    ...(example === undefined ? [] : [`Example: \`${example}\`.`]),
    ...(absent === undefined ? [] : [`Default: ${absent}.`]),
  ]
  return { description: parts.join(' '), ...(example === undefined ? {} : { example }) }
}

function ruled<T>(rules: readonly Rule<T>[] | undefined): { readonly rules?: readonly Rule<T>[] } {
  return rules === undefined || rules.length === 0 ? {} : { rules }
}
