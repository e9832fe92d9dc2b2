/**
 * What holds at a rule, over generated policies at every level, and case by case.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AtLevels,
  closedBy,
  conflictsOf,
  inEffect,
  LEVELS,
  type PolicyShape,
  type Stated,
  STRENGTHS,
  UNITS,
} from './attach.ts'

const NAMES = ['p', 'q'] as const
const NOTHING: Stated = { units: [], entries: [], disabled: [] }

const stated: fc.Arbitrary<Stated> = fc
  .record({
    units: fc.subarray([...UNITS]),
    entries: fc.subarray([...NAMES]),
    disabled: fc.subarray([...NAMES]),
  })
  .map((one) => ({ ...one, disabled: one.disabled.filter((name) => !one.entries.includes(name)) }))

const shape = fc.record({
  createdMs: fc.nat(3),
  defaults: stated,
  overrides: stated.map((one) => ({ ...one, disabled: [] })),
  usable: fc.constantFrom('yes', 'yes', 'yes', 'no'),
})

const atLevels: fc.Arbitrary<AtLevels> = fc
  .tuple(...LEVELS.map(() => fc.array(shape, { maxLength: 2 })))
  .map((lists) => {
    const named = lists.map((list, level) =>
      list.map((one, i): PolicyShape => {
        const name = `${LEVELS[level]}-${i}`
        return { ...one, namespace: 'n', name, ref: name, key: `n/${name}` }
      }),
    )
    const [gateway = [], namespace = [], route = [], rule = []] = named
    return { gateway, namespace, route, rule }
  })

/** Among all that say something of the name, the one that nothing beats. */
function plainHolder(at: AtLevels, name: string, list: 'units' | 'entries'): string | null {
  const all = LEVELS.flatMap((level, height) =>
    at[level].flatMap((one, age) =>
      STRENGTHS.flatMap((strength) => {
        const said: readonly string[] = one[strength][list]
        const removes = list === 'entries' && one[strength].disabled.includes(name)
        if (!said.includes(name) && !removes) return []
        return [{ strength, height, age, id: `${one.name} ${strength}`, removes }]
      }),
    ),
  )
  type One = (typeof all)[number]
  const beats = (a: One, b: One): boolean => {
    if (a.strength !== b.strength) return a.strength === 'overrides'
    if (a.height !== b.height)
      return a.strength === 'overrides' ? a.height < b.height : a.height > b.height
    return a.age < b.age
  }
  const winner = all.find((one) => !all.some((other) => beats(other, one)))
  return winner === undefined || winner.removes ? null : winner.id
}

test('what holds at a rule is what the plain oracle says', () => {
  fc.assert(
    fc.property(atLevels, (at) => {
      const { units, entries, broken } = inEffect(at)
      for (const unit of UNITS) {
        const held = units.get(unit)
        const said = held === undefined ? null : `${held.policy.name} ${held.strength}`
        assert.equal(said, plainHolder(at, unit, 'units'))
      }
      for (const name of NAMES) {
        const held = entries.find((entry) => entry.name === name)
        const said = held === undefined ? null : `${held.policy.name} ${held.strength}`
        assert.equal(said, plainHolder(at, name, 'entries'))
      }
      const all = LEVELS.flatMap((level) => at[level])
      assert.equal(
        broken !== null,
        all.some(({ usable }) => usable === 'no'),
      )
    }),
    { numRuns: 1_000 },
  )
})

const NONE: AtLevels = { gateway: [], namespace: [], route: [], rule: [] }

function policy(
  name: string,
  defaults: Partial<Stated>,
  overrides: Partial<Stated> = {},
): PolicyShape {
  return {
    createdMs: 0,
    namespace: 'n',
    name,
    ref: name,
    key: `n/${name}`,
    usable: 'yes',
    defaults: { ...NOTHING, ...defaults },
    overrides: { ...NOTHING, ...overrides },
  }
}

test('the more specific default replaces a unit, and adds entries', () => {
  const above = policy('above', { units: ['authenticate'], entries: ['p'] })
  const below = policy('below', { units: ['authenticate'], entries: ['q'] })
  const { units, entries } = inEffect({ ...NONE, namespace: [above], rule: [below] })
  assert.equal(units.get('authenticate')?.policy, below)
  assert.deepEqual(
    entries.map(({ name, level }) => `${level} ${name}`),
    ['namespace p', 'rule q'],
  )
})

test('an override closes whatever is below, and cannot be removed', () => {
  const above = policy('above', {}, { units: ['authenticate'], entries: ['p'] })
  const below = policy('below', { units: ['authenticate'], disabled: ['p'] })
  const { units, entries } = inEffect({ ...NONE, gateway: [above], rule: [below] })
  assert.equal(units.get('authenticate')?.policy, above)
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['p'],
  )
})

test('a disabled entry removes a default of a less specific policy', () => {
  const above = policy('above', { entries: ['p', 'q'] })
  const below = policy('below', { disabled: ['p'] })
  const { entries } = inEffect({ ...NONE, gateway: [above], route: [below] })
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['q'],
  )
})

test('the younger of two that state the same conflicts, and only in that', () => {
  const older = policy('older', { units: ['authenticate'], entries: ['p'] })
  const younger = policy('younger', { units: ['forward'], entries: ['p', 'q'] })
  assert.deepEqual(conflictsOf(older, []), [])
  assert.deepEqual(conflictsOf(younger, [older]), [
    { strength: 'defaults', name: '"p"', holder: older },
  ])
  const { entries } = inEffect({ ...NONE, route: [older, younger] })
  assert.deepEqual(
    entries.map((entry) => `${entry.policy.name} ${entry.name}`),
    ['older p', 'younger q'],
  )
})

test('a policy is closed where overrides above it state all that it states', () => {
  const below = policy('below', { units: ['deny'], entries: ['p'] })
  const one = policy('one', {}, { units: ['deny'] })
  const other = policy('other', {}, { entries: ['p'] })
  assert.equal(closedBy(below, [one]), null)
  assert.equal(closedBy(below, [one, other]), one)
  assert.equal(closedBy(policy('entry-deny', { entries: ['deny'] }), [one]), null)
})
