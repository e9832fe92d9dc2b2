/**
 * Every bad object: what a folder and a real API server must both refuse.
 */
import { BAD_AGGREGATES } from './aggregate.ts'
import { BAD_ANSWERS } from './answer.ts'
import { BAD_API_ROUTES } from './api-route.ts'
import { BAD_AUTH_POLICIES } from './auth-policy.ts'
import { BAD_AUTHENTICATE } from './authenticate.ts'
import type { BadObject } from './bad-object.ts'
import { BAD_MATCHES } from './match.ts'
import { BAD_OTHERS } from './others.ts'
import { BAD_RATE_LIMIT_POLICIES } from './rate-limit-policy.ts'
import { BAD_RULES } from './rule.ts'
import { BAD_TRAFFIC } from './traffic.ts'
import { BAD_TRAFFIC_FIELDS } from './traffic-fields.ts'

export const BAD_OBJECTS: readonly BadObject[] = [
  ...BAD_API_ROUTES,
  ...BAD_RULES,
  ...BAD_MATCHES,
  ...BAD_ANSWERS,
  ...BAD_TRAFFIC,
  ...BAD_TRAFFIC_FIELDS,
  ...BAD_AGGREGATES,
  ...BAD_AUTH_POLICIES,
  ...BAD_AUTHENTICATE,
  ...BAD_RATE_LIMIT_POLICIES,
  ...BAD_OTHERS,
]
