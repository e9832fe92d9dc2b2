/**
 * The entries of one `authenticate` unit, arranged by the places that they read: what stands in a
 * place then finds the entries that may judge it. Runs when a table arrives.
 * Proved by build.test.ts.
 */
import type { AuthenticateEntry, Carrier } from '#wire/auth'
import type { CredentialStrip } from '../../request/exchange.ts'
import { KeyJudge } from './api-key.ts'
import type { Place } from './credential.ts'
import type { JudgeEnvironment } from './environment.ts'
import type { KeyEntry } from './key-entry.ts'
import { TokenJudge, type TokenEntry } from './jwt.ts'
import { type Judges, PlaceJudge } from './place-judge.ts'

/** An entry made ready, with the carriers that it reads. */
export type ReadyEntry =
  | { readonly kind: 'jwt'; readonly from: readonly Carrier[]; readonly token: TokenEntry }
  | { readonly kind: 'apiKey'; readonly from: readonly Carrier[]; readonly key: KeyEntry }

/** One entry at one carrier. */
interface Read {
  readonly place: Place
  /** In lower case. */
  readonly scheme: string | null
  readonly entry: ReadyEntry
}

/** Headers first: where a Consumer shows several tokens, the first place speaks for it. */
const RANK: { readonly [K in Place['kind']]: number } = { header: 0, cookie: 1, queryParam: 2 }

/** `entries` in the order of their names, so that nothing depends on how a policy was written. */
export function placeJudges(
  entries: readonly ReadyEntry[],
  environment: JudgeEnvironment,
): readonly PlaceJudge[] {
  const reads = entries.flatMap((entry) => entry.from.map((carrier) => readOf(entry, carrier)))
  const byPlace = Map.groupBy(reads, ({ place }) => `${RANK[place.kind]}${place.name}`)
  return [...byPlace].toSorted(byText).flatMap(([, here]) => {
    const [first] = here
    if (first === undefined) return []
    const byScheme = Map.groupBy(here, ({ scheme }) => scheme ?? WHOLE_VALUE)
    const judges = [...byScheme].toSorted(byText).map(([, same]) => judgesOf(same, environment))
    return [new PlaceJudge(first.place, judges)]
  })
}

/** Sorts last: the whole value is the credential where it stands behind no scheme that is read. */
const WHOLE_VALUE = '~'

function byText([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1
}

function readOf(entry: ReadyEntry, carrier: Carrier): Read {
  const scheme = carrier.kind === 'header' ? carrier.scheme : null
  return { place: placeOf(carrier), scheme: scheme?.toLowerCase() ?? null, entry }
}

/** Everything that a unit reads is taken off the request, whichever of it was presented. */
export function stripOf(entries: readonly AuthenticateEntry[]): CredentialStrip {
  const places = entries.flatMap((entry) =>
    entry.kind === 'anonymous' ? [] : entry.from.map(placeOf),
  )
  const names = (kind: Place['kind']): readonly string[] => [
    ...new Set(places.flatMap((place) => (place.kind === kind ? [place.name] : []))),
  ]
  return { headers: names('header'), cookies: names('cookie'), queryParams: names('queryParam') }
}

function placeOf(carrier: Carrier): Place {
  const { kind, name } = carrier
  return { kind, name: kind === 'header' ? name.toLowerCase() : name }
}

/** Of one place and scheme; an entry that names a carrier twice still stands once. */
function judgesOf(reads: readonly Read[], environment: JudgeEnvironment): Judges {
  const tokens = new Set<TokenEntry>()
  const keys = new Set<KeyEntry>()
  for (const { entry } of reads) {
    if (entry.kind === 'jwt') tokens.add(entry.token)
    else keys.add(entry.key)
  }
  return {
    scheme: reads[0]?.scheme ?? null,
    tokens: tokens.size === 0 ? null : new TokenJudge([...tokens], environment),
    keys: keys.size === 0 ? null : new KeyJudge([...keys], environment),
  }
}
