/**
 * A CustomResourceDefinition whose rules cost twice as much: an API server takes it exactly where the
 * rules of ours are within half of its budget, each rule and all together.
 */

export function twiceTheCost(definition: unknown): unknown {
  if (Array.isArray(definition)) return definition.map(twiceTheCost)
  if (typeof definition !== 'object' || definition === null) return definition
  return Object.fromEntries(
    Object.entries(definition).map(([key, value]: [string, unknown]) => [
      key,
      key === 'rule' && typeof value === 'string'
        ? `(${value}) && (${value})`
        : twiceTheCost(value),
    ]),
  )
}
