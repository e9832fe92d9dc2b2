/**
 * Rules that several kinds need, each written once as data and given in both languages: CEL for the
 * API server and a function for the decoder.
 * Pinned by rule.test.ts: "CEL and check agree on every rule of every schema".
 */
import type { Rule } from './schema.ts'

type Keyed = Readonly<Record<string, unknown>>

/** Exactly one of the fields is there. */
export function exactlyOne(keys: readonly string[], message: string): Rule<Keyed> {
  const has = keys.map((key) => `has(self.${key})`)
  return {
    cel: `[${has.join(', ')}].filter(x, x).size() == 1`,
    message,
    check: (value) => present(value, keys).length === 1,
    say: (value) => `${message} ${found(present(value, keys))}`,
  }
}

/** At least one of the fields is there. */
export function atLeastOne(keys: readonly string[], message: string): Rule<Keyed> {
  return {
    cel: keys.map((key) => `has(self.${key})`).join(' || '),
    message,
    check: (value) => present(value, keys).length > 0,
  }
}

/** Two fields exclude each other. */
export function notBoth(one: string, other: string, message: string): Rule<Keyed> {
  return {
    cel: `!(has(self.${one}) && has(self.${other}))`,
    message,
    check: (value) => present(value, [one, other]).length < 2,
  }
}

/** Where one field is there, so must the other be. */
export function needs(one: string, other: string, message: string): Rule<Keyed> {
  return {
    cel: `!has(self.${one}) || has(self.${other})`,
    message,
    check: (value) => !Object.hasOwn(value, one) || Object.hasOwn(value, other),
  }
}

/** A field that stands alone: nothing of the others beside it. */
export function alone(key: string, others: readonly string[], message: string): Rule<Keyed> {
  const has = others.map((other) => `has(self.${other})`).join(' || ')
  return {
    cel: `!has(self.${key}) || !(${has})`,
    message,
    check: (value) => !Object.hasOwn(value, key) || present(value, others).length === 0,
  }
}

/** The whole text has the shape. The pattern is in what RE2 and JavaScript read alike. */
export function matching(pattern: string, message: string): Rule<string> {
  const compiled = new RegExp(pattern, 'u')
  return {
    cel: `self.matches('${quoted(pattern)}')`,
    message,
    check: (value) => compiled.test(value),
  }
}

/** No two items have the same value of the field. */
export function distinct(key: string, message: string): Rule<readonly Keyed[]> {
  return {
    cel: `self.all(a, self.exists_one(b, b.${key} == a.${key}))`,
    message,
    check: (items) => new Set(items.map((item) => item[key])).size === items.length,
  }
}

/** Every key of a map has the shape; `true` and `false` are what YAML 1.1 makes of on and off. */
export function keysMatching(pattern: string, max: number, message: string): Rule<Keyed> {
  const compiled = new RegExp(pattern, 'u')
  const wrong = (value: Keyed): readonly string[] =>
    Object.keys(value).filter(
      (key) => key.length > max || !compiled.test(key) || YAML_1_1_BOOLEANS.includes(key),
    )
  return {
    cel: `self.all(k, k.size() <= ${max} && k.matches('${quoted(pattern)}') && !(k in [${YAML_1_1_BOOLEANS.map((key) => `'${key}'`).join(', ')}]))`,
    message,
    check: (value) => wrong(value).length === 0,
    say: (value) => `${message} Not so: ${JSON.stringify(wrong(value)[0]?.slice(0, 100))}.`,
  }
}

/**
 * Lower-case words that kubectl makes booleans of, where they stand without quotes: a folder would
 * serve what a cluster reads as another name.
 */
const YAML_1_1_BOOLEANS: readonly string[] = ['true', 'false', 'on', 'off', 'yes', 'no', 'y', 'n']

/** The decoder refuses such keys before it comes to the rules. */
export function hasBooleanKey(value: Keyed): boolean {
  return Object.hasOwn(value, 'true') || Object.hasOwn(value, 'false')
}

function present(value: Keyed, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => Object.hasOwn(value, key))
}

function found(keys: readonly string[]): string {
  return keys.length === 0 ? 'There is none.' : `There are: ${keys.join(', ')}.`
}

function quoted(pattern: string): string {
  return pattern.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
}
