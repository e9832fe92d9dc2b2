/**
 * Which answers of a rule are kept, and for whom.
 * Pinned by cache.test.ts: "an answer is its caller's own unless the rule says shared".
 */
import type { CacheSpec } from '../../crds/cache.ts'
import type { Cache, CacheKeyPart } from '#wire/traffic'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { waitMs } from './quantity.ts'

export function compileCache(spec: CacheSpec, at: FieldPath<CacheSpec>): Checked<Cache> {
  const ttl = waitMs(spec.ttl, at.child('ttl'), '0s')
  const ifError = optionalWait(spec.staleIfError, at.child('staleIfError'))
  const meanwhile = optionalWait(spec.staleWhileRevalidate, at.child('staleWhileRevalidate'))
  const value: Cache = {
    ttlS: wholeSeconds(ttl.value),
    audience: spec.shared === true ? 'shared' : 'private',
    by: (spec.by ?? []).map(partOf),
    staleIfErrorS: wholeSeconds(ifError.value),
    ...(spec.staleWhileRevalidate === undefined
      ? {}
      : { staleWhileRevalidateS: wholeSeconds(meanwhile.value) }),
  }
  const problems = [ttl, ifError, meanwhile].flatMap((checked) => checked.problems)
  return { value, problems: [...problems, ...bothWays(spec, at)] }
}

function optionalWait(text: string | undefined, at: FieldPath<unknown>): Checked<number | null> {
  return text === undefined ? { value: null, problems: [] } : waitMs(text, at, '0s')
}

function wholeSeconds(ms: number | null): number {
  return Math.floor((ms ?? 0) / 1000)
}

/** The schema has seen the form: `consumer`, `header:NAME`, `query:NAME`, `claim:NAME`. */
function partOf(text: string): CacheKeyPart {
  const colon = text.indexOf(':')
  const name = colon === -1 ? '' : text.slice(colon + 1)
  if (text.startsWith('header:')) return { of: 'header', name: name.toLowerCase() }
  if (text.startsWith('query:')) return { of: 'query', name }
  return text.startsWith('claim:') ? { of: 'claim', name } : { of: 'consumer', name: '' }
}

function bothWays({ by, shared }: CacheSpec, at: FieldPath<CacheSpec>): readonly Problem[] {
  const i = shared === true ? (by?.indexOf('consumer') ?? -1) : -1
  const sentence = 'Answers that are shared do not differ by consumer; remove one of the two.'
  return i === -1 ? [] : [at.child('by').index(i).problem('Invalid', sentence)]
}
