/**
 * A call that is made once for each item of a list: which items, under which keys, and what their
 * answers are together.
 * Pinned by aggregate-run.test.ts: "items become a list, or a map with key, and failures follow onItemError".
 */
import type {
  CelValue,
  ExpressionFailure,
  Prepared,
  Scope,
} from '../../runtime/expression-types.ts'
import { isFailure } from '../../runtime/expression-types.ts'
import { isList, plain } from '../../runtime/expression-values.ts'
import {
  type CallFailure,
  type CallResult,
  type CallWithin,
  callValue,
  failed,
  NO_HEADERS,
} from './aggregate-call.ts'
import { flightKey, requestOf } from './aggregate-request.ts'
import type { PreparedCall } from './prepared-aggregate.ts'

export interface ItemPlan {
  readonly kind: 'plan'
  readonly items: readonly PlannedItem[]
  readonly truncated: 'yes' | 'no'
}

export interface PlannedItem {
  readonly scope: Scope
  /** Null: the answers are a list, or the item has no name. */
  readonly key: string | null
  /** Null: it is asked for. */
  readonly failure: CallFailure | null
}

/** By position in the plan; null: not made, because another one decided. */
export type Items = readonly (CallResult | null)[]

export function planItems(
  prepared: PreparedCall,
  scope: Scope,
  within: CallWithin,
): ItemPlan | CallFailure {
  const { forEach } = prepared
  const list = forEach === null ? null : listOf(forEach.in.evaluate(scope))
  if (forEach === null || list === null) return failed('missing-input')
  if (list.length > forEach.max && forEach.overflow === 'fail') return failed('too-many-items')
  const taken = list.slice(0, forEach.max)
  const scopes = taken.map((item): Scope => ({ ...scope, locals: { [forEach.as]: item } }))
  const items = named(scopes, forEach.key, (inner) => sentAs(prepared, inner, within))
  const broken = items.find(({ failure }) => failure !== null)
  if (broken?.failure != null && forEach.onItemError === 'fail') return broken.failure
  return { kind: 'plan', items, truncated: taken.length < list.length ? 'yes' : 'no' }
}

/**
 * In a list no item needs a name. In a map, one without has no place, and neither has one whose name
 * is taken: it fails, as if its own call had. Only where both would be one request does it add
 * nothing, and is no failure.
 */
function named(
  scopes: readonly Scope[],
  key: Prepared | null,
  sent: (scope: Scope) => string | null,
): readonly PlannedItem[] {
  if (key === null) return scopes.map((scope) => ({ scope, key: null, failure: null }))
  const first = new Map<string, Scope>()
  const items: PlannedItem[] = []
  for (const scope of scopes) {
    const text = keyText(key.evaluate(scope))
    if (text === null) {
      items.push({ scope, key: null, failure: failed('missing-input') })
      continue
    }
    const holder = first.get(text)
    if (holder === undefined) {
      first.set(text, scope)
      items.push({ scope, key: text, failure: null })
      continue
    }
    const request = sent(scope)
    if (request !== null && request === sent(holder)) continue
    items.push({ scope, key: text, failure: failed('duplicate-key') })
  }
  return items
}

/** Null: it cannot be sent, or may change something. */
function sentAs(prepared: PreparedCall, scope: Scope, within: CallWithin): string | null {
  const request = requestOf(prepared, scope, within)
  return 'kind' in request ? null : flightKey(prepared, request)
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
  readonly replaced: readonly Replaced[]
}

/** A failure, and whether the fallback stands in its place or nothing does. */
interface Replaced {
  readonly failure: CallFailure
  readonly fallback: 'used' | 'none'
}

interface Named {
  readonly key: string | null
  readonly value: CelValue
}

export function summed(prepared: PreparedCall, plan: ItemPlan, results: Items): Sum | CallFailure {
  const replaced: Replaced[] = []
  const values: Named[] = []
  for (const [position, item] of plan.items.entries()) {
    const result = results[position] ?? null
    if (result === null) continue
    if (result.kind === 'answered') {
      values.push({ key: item.key, value: result.value })
      continue
    }
    const stand = standInOf(item, result, prepared)
    if (stand === 'nothing') return ofTheWhole(result)
    replaced.push(stand)
    if (stand.fallback === 'used')
      values.push({ key: item.key, value: fallbackOf(prepared, result) })
  }
  return { kind: 'sum', value: together(prepared, values), replaced }
}

/** One that was never asked for has no name of its own that a fallback could stand under. */
function standInOf(
  item: PlannedItem,
  failure: CallFailure,
  { forEach }: PreparedCall,
): Replaced | 'nothing' {
  if (forEach === null || forEach.onItemError === 'fail') return 'nothing'
  const used = forEach.onItemError === 'fallback' && item.failure === null
  return { failure, fallback: used ? 'used' : 'none' }
}

function ofTheWhole(failure: CallFailure): CallFailure {
  return { ...failure, code: failure.code === 'timeout' ? 'timeout' : 'item-failed' }
}

function fallbackOf({ call }: PreparedCall, { status }: CallFailure): CelValue {
  const body = call.fallback?.kind === 'value' ? call.fallback.value : null
  return callValue('no', status ?? 0, NO_HEADERS, body)
}

function together({ forEach }: PreparedCall, values: readonly Named[]): CelValue {
  if (forEach?.key == null) return values.map(({ value }) => value)
  // Keys come from upstream answers: the map has no prototype.
  const map: Record<string, CelValue> = Object.create(null)
  for (const { key, value } of values) if (key !== null) map[key] = value
  return map
}
