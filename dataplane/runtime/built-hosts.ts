/**
 * All hosts of the table, prepared from rules that are, and the matcher over them. A host that names
 * what is not there is closed as a whole: nobody can say which requests it would have taken.
 * Pinned by build-rule.test.ts: "a host that names a missing rule is closed and reported".
 */
import type { Host } from '#wire/table'
import type { BuiltRules } from './built-rules.ts'
import { EntriesOfHost, type HostEntry, type HostMatcher, RejectedHost } from './host-matcher.ts'
import { TableMatcher } from './matcher.ts'
import type { ChangedObject, TableObjects } from './objects.ts'
import type { MatcherEntry } from './prepared-match.ts'
import { Reached } from './path-trie.ts'
import { Readings, type Refusal } from './readings.ts'
import type { Sliced } from './slices.ts'
import { Staged } from './staged.ts'

interface HostState {
  readonly matcher: HostMatcher
  readonly rules: readonly string[]
  readonly refusals: readonly Refusal[]
}

const NOTHING: readonly string[] = []

export class BuiltHosts {
  readonly #objects: TableObjects
  readonly #rules: BuiltRules
  readonly #hosts = new Staged<HostState>()
  /** Which hosts hold a rule. */
  readonly #holders = new Readings()
  readonly #refused = new Set<string>()
  readonly #reached = new Reached<HostEntry>()
  #matcher = new TableMatcher(new Map())

  constructor(objects: TableObjects, rules: BuiltRules) {
    this.#objects = objects
    this.#rules = rules
  }

  /** The matcher of the new table; the same one where no host is touched. */
  *build(changed: readonly ChangedObject[], rulesBuilt: ReadonlySet<string>): Sliced<TableMatcher> {
    this.#hosts.reset()
    const keys = new Set<string>()
    for (const { kind, key } of changed) if (kind === 'host') keys.add(key)
    for (const rule of rulesBuilt) for (const host of this.#holders.readersOf(rule)) keys.add(host)
    if (keys.size === 0) return this.#matcher
    for (const key of keys) {
      const host = this.#objects.get('host', key)
      this.#hosts.stage(key, host === null ? null : this.#built(key, host))
      yield
    }
    const all = this.#hosts.merged()
    return new TableMatcher(new Map([...all].map(([key, { matcher }]) => [key, matcher])))
  }

  #built(key: string, host: Host): HostState {
    const rules = [...new Set(host.entries.map(({ rule }) => rule))]
    const entries: MatcherEntry[] = []
    for (const { rule, match } of host.entries) {
      const built = this.#rules.get(rule)
      const prepared = built?.matches[match]
      if (built === null || prepared === undefined) {
        const reason = `it names match ${match} of rule "${rule}", which is not in the table`
        const matcher = new RejectedHost(host.namespace)
        return { matcher, rules, refusals: [{ kind: 'host', key, reason }] }
      }
      entries.push({ rule: built.rule, match: prepared })
    }
    return {
      matcher: new EntriesOfHost(host.namespace, entries, this.#reached),
      rules,
      refusals: [],
    }
  }

  /** With the changes. */
  refusals(): readonly Refusal[] {
    const keys = new Set([...this.#refused, ...this.#hosts.changes.keys()])
    return [...keys].flatMap((key) => this.#hosts.get(key)?.refusals ?? [])
  }

  /** `matcher`: what `build` has given. */
  commit(matcher: TableMatcher): void {
    for (const [key, state] of this.#hosts.changes) {
      this.#holders.set(key, state?.rules ?? NOTHING)
      if ((state?.refusals.length ?? 0) > 0) this.#refused.add(key)
      else this.#refused.delete(key)
    }
    this.#hosts.commit()
    this.#matcher = matcher
  }
}
