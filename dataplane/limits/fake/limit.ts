/**
 * Limits for tests, prepared from the words that a table would hold.
 */
import type { Limit, Rate } from '#wire/rate-limit'
import { FakeReader, fakeEnvironment } from '../../phases/authenticate/fake/policy.ts'
import { buildLimits } from '../build.ts'
import type { PreparedLimit } from '../limiter.ts'
import { createLimitMemory, type LimitMemory, type MemorySize } from '../shared.ts'

export const SECRET = [0x11111111, 0x22222222, 0x33333333, 0x44444444]

export function memory(size: Partial<MemorySize> = {}): LimitMemory {
  return createLimitMemory({ columns: 2, originNs: 0n, ...size }, SECRET)
}

export function limit(parts: Partial<Limit> = {}): Limit {
  return {
    policy: 'shop/limits',
    name: 'calls',
    per: 'policy',
    stage: 'afterAuth',
    mode: 'enforce',
    key: null,
    onMissingKey: 'refuse',
    when: null,
    measure: rateOf(10, 1_000),
    ...parts,
  }
}

export function rateOf(
  count: number,
  periodMs: number,
  more: { readonly burst?: number; readonly cost?: string } = {},
): Extract<Limit['measure'], { kind: 'rate' }> {
  const rate: Rate = { count, periodMs, burst: more.burst ?? count }
  return { kind: 'rate', cost: more.cost ?? null, rate, rates: [] }
}

/** Each under the key `shop/limits/NAME`. */
export function prepared(...limits: readonly Limit[]): readonly PreparedLimit[] {
  const reader = new FakeReader()
  const keys = limits.map((one) => `${one.policy}/${one.name}`)
  for (const [i, one] of limits.entries()) reader.put('limit', keys[i] ?? '', one)
  const rule = { route: 'shop/books', rule: 'shop/books/list', limits: keys }
  const built = buildLimits(rule, reader, fakeEnvironment())
  if ('kind' in built) throw new Error(reader.rejected.join())
  return [...(built.beforeAuth ?? []), ...(built.afterAuth ?? [])]
}
