/**
 * What authentication keeps as long as its worker lives, over all tables: key sets and verified
 * tokens. Proved by jwt.test.ts and build.test.ts.
 */
import type { Authenticate, Authorize } from '#wire/auth'
import type { SecretValue } from '#wire/table'
import type { Directory } from '../../runtime/prepare.ts'
import { KeySets } from './key-sets.ts'
import { TokenCache } from './token-cache.ts'
import type { KeptToken } from './kept-token.ts'
import type { Authenticator, Authorizer } from './prepared.ts'

export interface AuthEnvironment {
  readonly keySets: KeySets
  readonly tokens: TokenCache<KeptToken>
  readonly built: BuiltParts
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
}

/** What was made of an object of a table: many rules use one, and a delta keeps most of them. */
export interface BuiltParts {
  readonly authenticators: WeakMap<Authenticate, BuiltAuthenticator>
  readonly authorizers: WeakMap<Authorize, Authorizer>
}
interface BuiltAuthenticator {
  /** Of its entries, in their order; null where an entry needs none. */
  readonly secrets: readonly (SecretValue | null)[]
  readonly authenticator: Authenticator
}

/** What judges of credentials need at request time. */
export interface JudgeEnvironment extends AuthEnvironment {
  /** Of the policy: its Consumers are whom a token can name. */
  readonly namespace: string
  readonly directory: Directory
}

/** `unknownKey` posts an UnknownKeyMessage to main. */
export function createAuthEnvironment(
  unknownKey: (keySet: string) => void,
  nowMs: () => number = Date.now,
): AuthEnvironment {
  const tokens = new TokenCache<KeptToken>()
  const keySets = new KeySets(unknownKey, () => tokens.clear(), nowMs)
  const built = {
    authenticators: new WeakMap<Authenticate, BuiltAuthenticator>(),
    authorizers: new WeakMap<Authorize, Authorizer>(),
  }
  return { keySets, tokens, built, nowMs }
}
