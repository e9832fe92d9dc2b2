/**
 * Who may ask for a table: a token says which ServiceAccount and pod its bearer is, and the gateway
 * follows from the ServiceAccount alone. Whoever is refused learns nothing, not even why.
 * Pinned by identity.test.ts: "only a token of the wire's audience names a gateway".
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fieldsOf, itemsOf, textOf } from '../compile/content.ts'
import type { Namespaced } from '../compile/snapshot.ts'

export const WIRE_AUDIENCE = 'fairlead-wire'

export type Identified =
  | {
      readonly kind: 'known'
      /** `namespace/name` of the ApiGateway. */
      readonly gateway: string
      /** The pod; null where the token does not say: then the data plane's own word counts. */
      readonly dataPlane: string | null
      /** The stream ends with the token; null: it does not expire. */
      readonly expiresAtMs: number | null
    }
  /** Another controller, which has something to tell. */
  | { readonly kind: 'replica'; readonly expiresAtMs: number | null }
  /** For the log; the bearer is told nothing. */
  | { readonly kind: 'refused'; readonly because: string }
  /** Nobody can tell at the moment. */
  | { readonly kind: 'unavailable'; readonly because: string }

export type Identify = (token: string) => Promise<Identified>

// ---- in a cluster ---------------------------------------------------------------------------

export interface ReviewOptions {
  /**
   * Creates a TokenReview (authentication.k8s.io/v1) with this spec and returns the answered object;
   * rejects where the API server cannot be asked. Tokens cannot be checked without it: its cached
   * keys are not used yet, so that running streams outlive an outage and new ones wait.
   */
  readonly review: (spec: {
    readonly token: string
    readonly audiences: readonly string[]
  }) => Promise<unknown>
  /** The gateway of a ServiceAccount, in the newest snapshot. */
  readonly gatewayOf: (account: Account) => string | null
  /** The account that controllers run under. */
  readonly isOurs: (account: Account) => 'yes' | 'no'
  /** `optional`: tokens that are not bound to a pod are good too (data planes outside of pods). */
  readonly pod: 'required' | 'optional'
}

export interface Account {
  readonly namespace: string
  readonly name: string
}

export function tokenReview(options: ReviewOptions): Identify {
  return async (token) => {
    try {
      const answer = await options.review({ token, audiences: [WIRE_AUDIENCE] })
      return judge(fieldsOf(fieldsOf(answer)['status']), token, options)
    } catch (error) {
      return { kind: 'unavailable', because: error instanceof Error ? error.message : 'no answer' }
    }
  }
}

function judge(
  status: ReturnType<typeof fieldsOf>,
  token: string,
  { gatewayOf, isOurs, pod }: ReviewOptions,
): Identified {
  if (status['authenticated'] !== true) return refused('the API server does not know the token')
  if (!itemsOf(status['audiences']).includes(WIRE_AUDIENCE)) {
    return refused(`the token is not for the audience ${WIRE_AUDIENCE}`)
  }
  const user = fieldsOf(status['user'])
  const account = accountOf(user['username'])
  if (account === null) return refused('the token is not of a ServiceAccount')
  if (isOurs(account) === 'yes') return { kind: 'replica', expiresAtMs: expiryOf(token) }
  const gateway = gatewayOf(account)
  if (gateway === null) {
    return refused(`no ApiGateway names the ServiceAccount ${account.namespace}/${account.name}`)
  }
  const extra = fieldsOf(user['extra'])
  const dataPlane = textOf(itemsOf(extra['authentication.kubernetes.io/pod-name'])[0])
  if (dataPlane === null && pod === 'required') return refused('the token is not bound to a pod')
  return { kind: 'known', gateway, dataPlane, expiresAtMs: expiryOf(token) }
}

/** The gateway that names a ServiceAccount of its own namespace; of several the oldest. */
export function gatewayOfAccount(gateways: Namespaced, account: Account): string | null {
  const naming = [...(gateways.get(account.namespace)?.values() ?? [])].filter((gateway) => {
    const planes = fieldsOf(fieldsOf(gateway.content['spec'])['dataPlanes'])
    return planes['serviceAccount'] === account.name
  })
  const [oldest] = naming.toSorted(
    (a, b) => a.createdMs - b.createdMs || (a.name < b.name ? -1 : 1),
  )
  return oldest === undefined ? null : `${oldest.namespace}/${oldest.name}`
}

function accountOf(username: unknown): Account | null {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(String(username))
  const [, namespace, name] = match ?? []
  return namespace === undefined || name === undefined ? null : { namespace, name }
}

/** `exp` of a JWT that the API server has just verified. */
function expiryOf(token: string): number | null {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'),
    )
    const exp = fieldsOf(payload)['exp']
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : null
  } catch {
    return null
  }
}

// ---- from a folder --------------------------------------------------------------------------

/** The file that a data plane reads its token from is the one that it is compared with. */
export interface StaticToken {
  readonly file: string
  readonly gateway: string
}

export function staticTokens(tokens: readonly StaticToken[]): Identify {
  return async (token) => {
    const shown = digest(token)
    for (const { file, gateway } of tokens) {
      const text = await readFile(file, 'utf8').catch(() => '')
      const expected = text.trim()
      if (expected !== '' && timingSafeEqual(digest(expected), shown)) {
        return { kind: 'known', gateway, dataPlane: null, expiresAtMs: null }
      }
    }
    return refused('the token is in none of the token files')
  }
}

/** 256 random bits. The caller writes it to a file that others cannot read. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function refused(because: string): Identified {
  return { kind: 'refused', because }
}
