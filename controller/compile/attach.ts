/**
 * Which policies hold at a rule (design: section 5). Levels run from the gateway over the namespace
 * and the route to the rule. Defaults: the more specific replaces; overrides: whoever is above closes.
 * `authorize` and `limits` are merged entry by entry; `authenticate`, `forward` and `deny` are units,
 * because merging alternatives would open doors. At one level the older holds. A pure function.
 * Pinned by attach.test.ts: "what holds at a rule is what the plain oracle says".
 */
import { type Aged, inOrderOfText } from './precedence.ts'

export const LEVELS = ['gateway', 'namespace', 'route', 'rule'] as const
export type Level = (typeof LEVELS)[number]

export const UNITS = ['authenticate', 'forward', 'deny'] as const
export type Unit = (typeof UNITS)[number]

/** What a policy says, by name; contents do not matter here. */
export interface Stated {
  readonly units: readonly Unit[]
  readonly entries: readonly string[]
  /** Entries of less specific policies that it removes: `name: { disabled: true }`. */
  readonly disabled: readonly string[]
}

export const STRENGTHS = ['defaults', 'overrides'] as const
export type Strength = (typeof STRENGTHS)[number]

export interface PolicyShape extends Aged {
  /** Finds its objects again. */
  readonly ref: string
  /** What the keys of its objects start with: `namespace/name`, with `@generation` where remembered. */
  readonly key: string
  readonly defaults: Stated
  readonly overrides: Stated
  /** `no`: it cannot be enforced, so that whatever it targets answers 503. */
  readonly usable: 'yes' | 'no'
}

/** The policies that attach at each level, the oldest first. */
export type AtLevels = { readonly [L in Level]: readonly PolicyShape[] }

export interface Effective {
  readonly name: string
  readonly policy: PolicyShape
  readonly strength: Strength
  readonly level: Level
}

export interface InEffect {
  readonly units: ReadonlyMap<Unit, Effective>
  /** Less specific levels first, then by name: the order in which they are asked and taken. */
  readonly entries: readonly Effective[]
  /** The first that cannot be enforced. */
  readonly broken: PolicyShape | null
}

export function inEffect(at: AtLevels): InEffect {
  const units = new Map<Unit, Effective>()
  for (const unit of UNITS) {
    const holder = holderOf(at, unit, (stated) => (stated.units.includes(unit) ? 'states' : null))
    if (holder !== null && holder.says === 'states') units.set(unit, holder.effective)
  }
  const entries = [...entryNames(at)].flatMap((name) => {
    const holder = holderOf(at, name, (stated) => saysOf(stated, name))
    return holder !== null && holder.says === 'states' ? [holder.effective] : []
  })
  const ordered = inOrderOfText(entries, (entry) => `${LEVELS.indexOf(entry.level)} ${entry.name}`)
  return { units, entries: ordered, broken: brokenIn(at) }
}

type Says = 'states' | 'disables'

function saysOf(stated: Stated, name: string): Says | null {
  if (stated.entries.includes(name)) return 'states'
  return stated.disabled.includes(name) ? 'disables' : null
}

interface Holder {
  readonly says: Says
  readonly effective: Effective
}

/** Overrides from the top down, then defaults from the bottom up: the first that says anything. */
function holderOf(
  at: AtLevels,
  name: string,
  says: (stated: Stated) => Says | null,
): Holder | null {
  return (
    firstThatSays(at, { name, strength: 'overrides', levels: LEVELS, says }) ??
    firstThatSays(at, { name, strength: 'defaults', levels: UPWARDS, says })
  )
}

const UPWARDS: readonly Level[] = LEVELS.toReversed()

interface Search {
  readonly name: string
  readonly strength: Strength
  readonly levels: readonly Level[]
  readonly says: (stated: Stated) => Says | null
}

function firstThatSays(at: AtLevels, { name, strength, levels, says }: Search): Holder | null {
  for (const level of levels) {
    for (const policy of at[level]) {
      const said = says(policy[strength])
      if (said !== null) return { says: said, effective: { name, policy, strength, level } }
    }
  }
  return null
}

function entryNames(at: AtLevels): ReadonlySet<string> {
  const policies = LEVELS.flatMap((level) => at[level])
  return new Set(
    policies.flatMap((policy) => [...policy.defaults.entries, ...policy.overrides.entries]),
  )
}

function brokenIn(at: AtLevels): PolicyShape | null {
  for (const level of LEVELS) {
    const broken = at[level].find((policy) => policy.usable === 'no')
    if (broken !== undefined) return broken
  }
  return null
}

// ---- what the status of a policy says of a target -------------------------------------------

export interface Conflict {
  readonly strength: Strength
  readonly name: string
  readonly holder: PolicyShape
}

/** What an older policy of the same target already states. */
export function conflictsOf(
  policy: PolicyShape,
  older: readonly PolicyShape[],
): readonly Conflict[] {
  return statementsOf(policy).flatMap(({ strength, name }) => {
    const holder = older.find((other) => namesIn(other[strength]).includes(name))
    return holder === undefined ? [] : [{ strength, name, holder }]
  })
}

/** A policy above that closes everything that this one states, or null while something is open. */
export function closedBy(policy: PolicyShape, above: readonly PolicyShape[]): PolicyShape | null {
  const statements = statementsOf(policy)
  const closers = statements.map(({ name }) =>
    above.find((other) => namesIn(other.overrides).includes(name)),
  )
  return closers.includes(undefined) ? null : (closers[0] ?? null)
}

interface Statement {
  readonly strength: Strength
  readonly name: string
}

function statementsOf(policy: PolicyShape): readonly Statement[] {
  return STRENGTHS.flatMap((strength) =>
    namesIn(policy[strength]).map((name) => ({ strength, name })),
  )
}

/** Units and entries have names of their own, so that an entry called `deny` is not the unit. */
function namesIn(stated: Stated): readonly string[] {
  const entries = [...stated.entries, ...stated.disabled].map((name) => `"${name}"`)
  return [...stated.units, ...entries]
}
