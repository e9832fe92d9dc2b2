/**
 * Which pages of other origins may call a rule: origins as browsers write them, and what a rule does
 * not say taken from its matches.
 * Pinned by cors.test.ts: "origins are written as browsers write them".
 */
import type { RouteRule } from '../../crds/api-route.ts'
import type { CorsSpec } from '../../crds/traffic.ts'
import type { Cors } from '#wire/traffic'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { waitMs } from './quantity.ts'

export function compileCors(
  spec: CorsSpec,
  at: FieldPath<CorsSpec>,
  matches: RouteRule['match'],
): Checked<Cors> {
  const maxAge = spec.maxAge === undefined ? null : waitMs(spec.maxAge, at.child('maxAge'), '0s')
  const value: Cors = {
    origins: [...new Set(spec.origins.map(asBrowsersWrite))],
    methods: spec.methods ?? methodsOf(matches),
    headers: lowerCase(spec.headers),
    expose: lowerCase(spec.expose),
    credentials: spec.credentials === true ? 'allowed' : 'refused',
    maxAgeS: maxAge === null ? null : Math.floor((maxAge.value ?? 0) / 1000),
  }
  return { value, problems: [...(maxAge?.problems ?? []), ...openToAll(spec, at)] }
}

const USUAL_PORT = new Map([
  ['http', '80'],
  ['https', '443'],
])

/** RFC 6454 section 6.2: lower case, and no port where it is the scheme's own. */
function asBrowsersWrite(origin: string): string {
  const lower = origin.toLowerCase()
  const [, start, scheme, port] = /^(([^:]+):\/\/[^:]+)(?::0*(\d+))?$/.exec(lower) ?? []
  if (start === undefined || port === undefined) return lower
  return port === USUAL_PORT.get(scheme ?? '') ? start : `${start}:${port}`
}

/** Null where one match takes any method. */
function methodsOf(matches: RouteRule['match']): readonly string[] | null {
  const methods = matches.flatMap(({ method }) => (method === undefined ? [] : [method]))
  return methods.length < matches.length ? null : [...new Set(methods)]
}

function lowerCase(names: readonly string[] = []): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))]
}

/** WHATWG Fetch section 3.3.4: with credentials a `*` is the name of a header called `*`. */
function openToAll(spec: CorsSpec, at: FieldPath<CorsSpec>): readonly Problem[] {
  if (spec.credentials !== true) return []
  const stars = (['headers', 'expose'] as const).flatMap((field) => {
    const i = spec[field]?.indexOf('*') ?? -1
    const sentence = 'With credentials browsers do not read "*" as all; name the headers.'
    return i === -1 ? [] : [at.child(field).index(i).problem('Invalid', sentence)]
  })
  const nobody = spec.origins.indexOf('null')
  if (nobody === -1) return stars
  const sentence =
    'Any page can have the origin "null", and with credentials act for whoever looks at it; remove one of the two.'
  return [...stars, at.child('origins').index(nobody).problem('Invalid', sentence)]
}
