/**
 * Cors of a rule, for tests that change one thing of it.
 */
import type { Cors } from '#wire/traffic'

export function corsOf(some: Partial<Cors> = {}): Cors {
  return {
    origins: ['https://app.example.com'],
    methods: ['GET'],
    headers: [],
    expose: [],
    credentials: 'refused',
    maxAgeS: null,
    ...some,
  }
}
