/**
 * The order of an aggregate's calls: each after those it depends on, and by name where nothing else
 * decides, so that the order in which the API server keeps a map can never matter.
 * Pinned by call-order.test.ts: "each call comes after those it depends on, or a real cycle is
 * named".
 */

export type Dependencies = ReadonlyMap<string, readonly string[]>

export type CallOrder =
  | { readonly kind: 'order'; readonly names: readonly string[] }
  /** The calls that wait for each other, the first one repeated at the end. */
  | { readonly kind: 'cycle'; readonly names: readonly string[] }

/** Every name that a list holds must be a key. */
export function callOrder(dependencies: Dependencies): CallOrder {
  const names = [...dependencies.keys()].toSorted()
  const order: string[] = []
  const placed = new Set<string>()
  const waits = (name: string): boolean =>
    (dependencies.get(name) ?? []).some((needed) => !placed.has(needed))
  while (order.length < names.length) {
    const next = names.find((name) => !placed.has(name) && !waits(name))
    if (next === undefined) return { kind: 'cycle', names: cycleIn(dependencies, placed) }
    placed.add(next)
    order.push(next)
  }
  return { kind: 'order', names: order }
}

/** Every call that is left waits for another one that is left: following that must come round. */
function cycleIn(dependencies: Dependencies, placed: ReadonlySet<string>): readonly string[] {
  const walk: string[] = []
  let name = [...dependencies.keys()].toSorted().find((candidate) => !placed.has(candidate))
  while (name !== undefined && !walk.includes(name)) {
    walk.push(name)
    name = (dependencies.get(name) ?? []).toSorted().find((needed) => !placed.has(needed))
  }
  const start = name === undefined ? 0 : walk.indexOf(name)
  const cycle = walk.slice(start)
  return [...cycle, ...cycle.slice(0, 1)]
}
