/**
 * One place where credentials may stand, with all entries that read it. What kind of credential
 * stands there is told by the credential itself.
 * Pinned by place-judge.test.ts: "a credential goes to the entries of its own kind".
 */
import type { KeyJudge } from './api-key.ts'
import { afterScheme, type Place } from './credential.ts'
import { invalid, type Judgement } from './judgement.ts'
import type { TokenJudge } from './jwt.ts'

/** Entries that read the place behind one scheme. Null: there are none of the kind. */
export interface Judges {
  /** In lower case; null: the whole value is the credential. */
  readonly scheme: string | null
  readonly tokens: TokenJudge | null
  readonly keys: KeyJudge | null
}

/** Three parts in base64url: nothing else that is used as a key looks so. */
const TOKEN = /^[\w-]+\.[\w-]*\.[\w-]*$/

export class PlaceJudge {
  readonly place: Place
  /** Those behind a scheme first. */
  readonly #judges: readonly Judges[]

  constructor(place: Place, judges: readonly Judges[]) {
    this.place = place
    this.#judges = judges
  }

  judge(text: string): Judgement {
    for (const judges of this.#judges) {
      const credential = judges.scheme === null ? text : afterScheme(text, judges.scheme)
      if (credential === null) continue
      return credential === '' ? invalid('is empty') : judgeBy(judges, credential)
    }
    return invalid('is of a kind that is not accepted here')
  }
}

function judgeBy({ tokens, keys }: Judges, credential: string): Judgement {
  if (tokens === null)
    return keys === null ? invalid('is not accepted here') : keys.judge(credential)
  if (keys === null || TOKEN.test(credential)) return tokens.judge(credential)
  return keys.judge(credential)
}
