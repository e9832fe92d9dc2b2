/**
 * A call that is made once for each item of a list: which items, under which keys, and what their
 * answers are together.
 * Pinned by aggregate-run.test.ts: "items become a list, or a map with key, and failures follow onItemError".
 */
import type { CelValue, ExpressionFailure, Scope } from '../../runtime/expression-types.ts'
import { isFailure } from '../../runtime/expression-types.ts'
import { isList, plain } from '../../runtime/expression-values.ts'
import {
  type CallFailure,
  type CallResult,
  callValue,
  failed,
  NO_HEADERS,
} from './aggregate-call.ts'
import type { PreparedCall } from './prepared-aggregate.ts'

export interface ItemPlan {
  readonly kind: 'plan'
  readonly scopes: readonly Scope[]
  /** Null: the answers are a list. */
  readonly keys: readonly string[] | null
  readonly truncated: 'yes' | 'no'
}

/** By position; null: not made, because another one decided. */
export type Items = readonly (CallResult | null)[]

export function planItems({ forEach }: PreparedCall, scope: Scope): ItemPlan | CallFailure {
  if (forEach === null) return failed('missing-input')
  const list = listOf(forEach.in.evaluate(scope))
  if (list === null) return failed('missing-input')
  if (list.length > forEach.max && forEach.overflow === 'fail') return failed('too-many-items')
  const taken = list.slice(0, forEach.max)
  const scopes = taken.map((item): Scope => ({ ...scope, locals: { [forEach.as]: item } }))
  const truncated = taken.length < list.length ? 'yes' : 'no'
  if (forEach.key === null) return { kind: 'plan', scopes, keys: null, truncated }
  const keys: string[] = []
  for (const inner of scopes) {
    const key = keyText(forEach.key.evaluate(inner))
    if (key === null) return failed('missing-input')
    keys.push(key)
  }
  return { kind: 'plan', scopes, keys, truncated }
}

function listOf(value: CelValue | ExpressionFailure): readonly CelValue[] | null {
  if (isFailure(value)) return null
  const list = plain(value)
  return isList(list) ? list : null
}

/** Texts and whole numbers name things; nothing else does. */
function keyText(value: CelValue | ExpressionFailure): string | null {
  if (isFailure(value)) return null
  const key = plain(value)
  if (typeof key === 'string') return key
  return typeof key === 'number' || typeof key === 'bigint' ? String(key) : null
}

export interface Sum {
  readonly kind: 'sum'
  readonly value: CelValue
  /** Failures that were replaced or left out. */
  readonly replaced: readonly CallFailure[]
  readonly with: 'used' | 'none'
}

export function summed(prepared: PreparedCall, plan: ItemPlan, items: Items): Sum | CallFailure {
  const how = prepared.forEach?.onItemError ?? 'fail'
  const replaced: CallFailure[] = []
  const values: { readonly position: number; readonly value: CelValue }[] = []
  for (const [position, result] of items.entries()) {
    if (result === null) continue
    if (result.kind === 'answered') values.push({ position, value: result.value })
    else if (how === 'fail')
      return { ...result, code: result.code === 'timeout' ? 'timeout' : 'item-failed' }
    else {
      replaced.push(result)
      if (how === 'fallback') values.push({ position, value: fallbackOf(prepared, result) })
    }
  }
  const used = how === 'fallback' ? 'used' : 'none'
  return { kind: 'sum', value: together(plan, values), replaced, with: used }
}

function fallbackOf({ call }: PreparedCall, { status }: CallFailure): CelValue {
  const body = call.fallback?.kind === 'value' ? call.fallback.value : null
  return callValue('no', status ?? 0, NO_HEADERS, body)
}

function together(
  { keys }: ItemPlan,
  values: readonly { readonly position: number; readonly value: CelValue }[],
): CelValue {
  if (keys === null) return values.map(({ value }) => value)
  // Keys come from upstream answers: the map has no prototype, and of two equal ones the last holds.
  const map: Record<string, CelValue> = Object.create(null)
  for (const { position, value } of values) map[keys[position] ?? ''] = value
  return map
}
