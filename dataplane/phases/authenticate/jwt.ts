/**
 * Judges tokens: the jwt entries that read one place, together. Which of them judges follows from
 * the token's issuer, and where one issuer has several entries, from its audience.
 * Pinned by jwt.test.ts: "the order of the entries decides nothing".
 */
import { hash } from 'node:crypto'
import type { JwtEntry } from '#wire/auth'
import { audienceOf, checkClaims, type Validity } from './claims.ts'
import { consumerOf } from './consumer.ts'
import type { JudgeEnvironment } from './environment.ts'
import { invalid, type Judgement, type Unverified } from './judgement.ts'
import { KeptToken } from './kept-token.ts'
import type { KeySlot } from './key-sets.ts'
import { type Jws, parseJws, verifyJws } from './jws.ts'

/** An entry with the keys that it trusts. */
export interface TokenEntry {
  readonly entry: JwtEntry
  readonly slot: KeySlot
}

export class TokenJudge {
  readonly #entries: readonly TokenEntry[]
  /** Of everything that decides: what one judge has verified counts for its equals only. */
  readonly #identity: string
  readonly #environment: JudgeEnvironment

  constructor(entries: readonly TokenEntry[], environment: JudgeEnvironment) {
    this.#entries = entries
    this.#environment = environment
    this.#identity = hash('sha256', JSON.stringify(entries.map(({ entry }) => entry)), 'base64url')
  }

  judge(token: string): Judgement {
    const { tokens } = this.#environment
    const key = `${this.#identity}${hash('sha256', token, 'base64url')}`
    const kept = tokens.get(key)
    if (kept !== null && kept.isCurrent()) return this.#known(kept)
    const verified = this.#verify(token)
    if (verified instanceof KeptToken) {
      tokens.put(key, verified, token.length)
      return this.#known(verified)
    }
    return verified
  }

  #known(token: KeptToken): Judgement {
    const wrong = outOfTime(token.validity, this.#environment.nowMs())
    if (wrong !== null) return wrong
    const { directory, namespace } = this.#environment
    const consumer = consumerOf(directory, namespace, token.issuer, token.claims)
    if (consumer === 'ambiguous') {
      return { kind: 'ambiguous', because: 'names more than one Consumer' }
    }
    return token.verified(consumer)
  }

  #verify(token: string): KeptToken | Unverified {
    const jws = parseJws(token)
    if (jws.kind === 'malformed') return invalid(jws.because)
    const chosen = this.#entryFor(jws)
    if ('kind' in chosen) return chosen
    const { entry, slot } = chosen
    if (!entry.algorithms.includes(jws.algorithm)) {
      return invalid('is signed with an algorithm that is not accepted here')
    }
    if (slot.keys === null) {
      slot.ask()
      return {
        kind: 'keysUnavailable',
        because: 'cannot be checked: the keys of its issuer are not there',
      }
    }
    const signature = verifyJws(jws, slot.keys)
    if (signature === 'noKey') {
      slot.ask()
      return invalid('is signed with a key that its issuer does not publish')
    }
    if (signature === 'forged') return invalid('has a wrong signature')
    const validity = checkClaims(jws.payload, entry)
    if (validity.kind === 'claimRefusal') return invalid(validity.because)
    return new KeptToken({ entry, slot, claims: jws.payload, validity })
  }

  /** By what the token says of itself, which decides only who looks at it. */
  #entryFor({ payload }: Jws): TokenEntry | Unverified {
    const mine = this.#entries.filter(({ entry }) => entry.issuer === payload['iss'])
    const [only] = mine
    if (only === undefined) return invalid('is from an issuer that is not accepted here')
    if (mine.length === 1) return only
    const meant = mine.filter(({ entry }) => audienceOf(payload, entry.audiences) === 'ours')
    const [first] = meant
    if (first === undefined) return invalid('is meant for another audience')
    if (meant.length === 1) return first
    return { kind: 'ambiguous', because: 'is meant for several audiences that differ here' }
  }
}

function outOfTime({ fromMs, untilMs }: Validity, nowMs: number): Unverified | null {
  if (nowMs < fromMs) return invalid('does not count yet')
  if (nowMs >= untilMs) return invalid('has expired')
  return null
}
