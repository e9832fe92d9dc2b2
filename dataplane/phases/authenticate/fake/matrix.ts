/**
 * Credentials as facts, and the plain twin of how a policy judges them: design section 9, read once
 * more and written down without any of the machinery.
 */
import type { Carrier } from '#wire/auth'

/** What a credential is; the test knows, because it has made it. */
export type Fact =
  | {
      readonly is: 'token'
      readonly issuer: string
      readonly audiences: readonly string[]
      readonly verdict: 'valid' | 'expired' | 'forged'
      /** Names of Consumers that its claims lead to. */
      readonly consumers: readonly string[]
    }
  | { readonly is: 'key'; readonly owner: string | null; readonly namespace: string }
  | { readonly is: 'noise' }

export type EntryFact =
  | {
      readonly kind: 'jwt'
      readonly name: string
      readonly issuer: string
      readonly audience: string
      readonly from: readonly Carrier[]
    }
  | {
      readonly kind: 'apiKey'
      readonly name: string
      readonly namespace: string
      readonly from: readonly Carrier[]
    }
  | { readonly kind: 'anonymous'; readonly name: string }

export interface Shown {
  readonly place: { readonly kind: Carrier['kind']; readonly name: string }
  /** Null: none is written before it. */
  readonly scheme: string | null
  readonly fact: Fact
  readonly times: 1 | 2
  readonly text: string
}

/** `consumer`: '' where the credential leads to none. */
export type PlainAnswer =
  | { readonly who: string; readonly consumer: string }
  | { readonly refused: 'unauthenticated' | 'credential-invalid' | 'ambiguous-credential' }

export function plainAnswer(entries: readonly EntryFact[], all: readonly Shown[]): PlainAnswer {
  const shown = all.filter(({ place }) =>
    entries.some(
      (entry) => entry.kind !== 'anonymous' && entry.from.some((one) => isAt(one, place)),
    ),
  )
  if (shown.length === 0) {
    const guest = entries.find(({ kind }) => kind === 'anonymous')
    return guest === undefined ? { refused: 'unauthenticated' } : { who: guest.name, consumer: '' }
  }
  if (shown.some(({ times }) => times > 1)) return { refused: 'ambiguous-credential' }
  const judged = shown.map((one) => judgeOne(entries, one))
  const failed = judged.find((one) => typeof one === 'string')
  if (failed !== undefined) {
    const several = shown.length > 1 || failed === 'ambiguous'
    return { refused: several ? 'ambiguous-credential' : 'credential-invalid' }
  }
  const good = judged.flatMap((one) => (typeof one === 'string' ? [] : [one]))
  const [first] = good
  if (first === undefined) return { refused: 'unauthenticated' }
  const same = good.every((one) =>
    first.consumer === ''
      ? one.consumer === '' && one.who === first.who && one.text === first.text
      : one.consumer === first.consumer,
  )
  if (!same) return { refused: 'ambiguous-credential' }
  return good.find(({ fact }) => fact.is === 'token') ?? first
}

type Judged = {
  readonly who: string
  readonly consumer: string
  readonly fact: Fact
  readonly text: string
}

type Fate = Judged | 'invalid' | 'ambiguous'

function judgeOne(entries: readonly EntryFact[], shown: Shown): Fate {
  const readers = readersOf(entries, shown)
  switch (shown.fact.is) {
    case 'token':
      return judgeToken(readers, shown.fact, shown.text)
    case 'key':
      return judgeKey(readers, shown.fact, shown.text)
    case 'noise':
      return 'invalid'
    default:
      return shown.fact satisfies never
  }
}

/** A value with a scheme that nobody reads is no credential to those who read the whole value. */
function readersOf(entries: readonly EntryFact[], { place, scheme }: Shown): readonly EntryFact[] {
  const wanted = scheme?.toLowerCase() ?? null
  return entries.filter(
    (entry) =>
      entry.kind !== 'anonymous' &&
      entry.from.some((one) => isAt(one, place) && schemeOf(one) === wanted),
  )
}

function judgeToken(
  readers: readonly EntryFact[],
  fact: Extract<Fact, { is: 'token' }>,
  text: string,
): Fate {
  const mine = readers.flatMap((entry) =>
    entry.kind === 'jwt' && entry.issuer === fact.issuer ? [entry] : [],
  )
  const meant = mine.filter(({ audience }) => fact.audiences.includes(audience))
  if (meant.length > 1) return 'ambiguous'
  const [entry] = meant
  if (entry === undefined || fact.verdict !== 'valid') return 'invalid'
  if (fact.consumers.length > 1) return 'ambiguous'
  return { who: entry.name, consumer: fact.consumers[0] ?? '', fact, text }
}

function judgeKey(
  readers: readonly EntryFact[],
  fact: Extract<Fact, { is: 'key' }>,
  text: string,
): Fate {
  const names = readers.flatMap((entry) =>
    entry.kind === 'apiKey' && entry.namespace === fact.namespace ? [entry.name] : [],
  )
  const [who] = names.toSorted()
  return who === undefined || fact.owner === null
    ? 'invalid'
    : { who, consumer: fact.owner, fact, text }
}

function isAt(carrier: Carrier, place: Shown['place']): boolean {
  return carrier.kind === place.kind && carrier.name === place.name
}

function schemeOf(carrier: Carrier): string | null {
  return carrier.kind === 'header' ? (carrier.scheme?.toLowerCase() ?? null) : null
}
