/**
 * Who is calling, from everything that was presented: each credential is judged by the entries that
 * its own kind leads to, all must verify, and all must name the same Consumer. No order of entries
 * decides anything.
 * Pinned by authenticator.test.ts: "every set of credentials is judged as the plain twin does".
 */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import type { CredentialStrip, Exchange } from '../../request/exchange.ts'
import { fail, type Failure } from '../../request/failure.ts'
import type { Caller } from './caller.ts'
import type { Challenges } from './challenge.ts'
import { consumerKey } from './consumer.ts'
import { placeText, readPlace } from './credential.ts'
import type { Unverified } from './judgement.ts'
import type { PlaceJudge } from './place-judge.ts'
import type { Authenticator } from './prepared.ts'

export interface AuthenticatorParts {
  readonly places: readonly PlaceJudge[]
  /** Null: somebody has to be known. */
  readonly anonymous: Caller | null
  readonly challenges: Challenges
  /** All that the places may hold. */
  readonly strip: CredentialStrip
}

/** Keys are looked for in the background, every few seconds while there are none. */
const COME_BACK: readonly string[] = ['retry-after', '5']

interface Wrong {
  readonly judge: PlaceJudge
  readonly found: Unverified
}

export class PolicyAuthenticator implements Authenticator {
  readonly #parts: AuthenticatorParts

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts
  }

  get challenge(): readonly string[] {
    return this.#parts.challenges.absent
  }

  authenticate(exchange: Exchange): Caller | Failure {
    const { places, strip } = this.#parts
    exchange.strip = strip
    const callers: Caller[] = []
    const wrong: Wrong[] = []
    for (const judge of places) {
      const reading = readPlace(exchange, judge.place)
      if (reading.kind === 'absent') continue
      if (reading.kind === 'repeated') return this.#repeated(judge)
      const found = judge.judge(reading.text)
      if (found.kind === 'verified') callers.push(found.caller)
      else wrong.push({ judge, found })
    }
    return wrong.length === 0 ? this.#agreed(callers) : this.#refused(wrong, callers.length)
  }

  #agreed(callers: readonly Caller[]): Caller | Failure {
    const { anonymous, challenges } = this.#parts
    const [first] = callers
    if (first === undefined) {
      return anonymous ?? fail('unauthenticated', 'A credential is needed.', challenges.absent)
    }
    if (callers.every((other) => isSameCaller(first, other))) return spokesman(callers, first)
    return fail(
      'ambiguous-credential',
      'The credentials that were presented do not belong to one Consumer; present one of them.',
      challenges.ambiguous,
    )
  }

  /** What the client can mend is said first: nobody needs keys to see a wrong credential. */
  #refused(wrong: readonly Wrong[], verified: number): Failure {
    const { challenges } = this.#parts
    const known = wrong.filter(({ found }) => found.kind !== 'keysUnavailable')
    const first = known[0] ?? wrong[0]
    assert(first !== undefined, 'something was wrong')
    const { judge, found } = first
    const what = `The credential in ${placeText(judge.place)} ${found.because}.`
    if (found.kind === 'keysUnavailable') return fail('keys-unavailable', what, COME_BACK)
    if (wrong.length + verified > 1) {
      const several = `Several credentials were presented. ${what}`
      return fail('ambiguous-credential', several, challenges.invalid)
    }
    return found.kind === 'ambiguous'
      ? fail('ambiguous-credential', what, challenges.invalid)
      : fail('credential-invalid', what, challenges.invalid)
  }

  #repeated(judge: PlaceJudge): Failure {
    const what = `There are two values in ${placeText(judge.place)}; present one.`
    return fail('ambiguous-credential', what, this.#parts.challenges.ambiguous)
  }
}

/** Of one Consumer; or of none, and then the same token shown in two places. */
function isSameCaller(one: Caller, other: Caller): boolean {
  if (one === other) return true
  if (one.consumer !== null && other.consumer !== null) {
    return consumerKey(one.consumer) === consumerKey(other.consumer)
  }
  if (one.consumer !== null || other.consumer !== null) return false
  return one.method === other.method && isDeepStrictEqual(one.claims, other.claims)
}

/**
 * One Consumer may show a key and a token: the token says more. Claims of several are never mixed;
 * the places are in a fixed order, headers first.
 */
function spokesman(callers: readonly Caller[], first: Caller): Caller {
  return callers.find(({ claims }) => Object.keys(claims).length > 0) ?? first
}
