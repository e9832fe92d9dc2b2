/**
 * Tells the client where it stands with its limits: RateLimit-Policy and RateLimit
 * (draft-ietf-httpapi-ratelimit-headers), on every answer of a rule that has some.
 * Pinned by rate-limit-headers.test.ts: "each limit is a member of both headers".
 */
import type { Standing, Taken } from '../../limits/taken.ts'

/** Appends to the flat list. */
export function pushRateLimit(headers: string[], taken: Taken | null): void {
  if (taken === null || taken.standings.length === 0) return
  headers.push('ratelimit-policy', taken.standings.map(policyOf).join(', '))
  headers.push('ratelimit', taken.standings.map(standingOf).join(', '))
}

function policyOf({ name, count, periodS }: Standing): string {
  return `"${name}";q=${count};w=${periodS}`
}

function standingOf({ name, remaining, resetS }: Standing): string {
  return `"${name}";r=${remaining};t=${resetS}`
}
