/**
 * Shapes of what a rule may ask for besides its answer (traffic.ts).
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import { WAIT_MS_MAX } from './limits.ts'
import {
  integer,
  key,
  keys,
  list,
  type Members,
  nullable,
  object,
  oneOf,
  optional,
} from './shape.ts'
import { headerName } from './shape-value.ts'
import type { Cors, Traffic } from './traffic.ts'

const cors = object<Cors>({
  origins: list(key, 1),
  methods: nullable(keys),
  headers: list(headerName),
  expose: list(headerName),
  credentials: oneOf(['allowed', 'refused']),
  maxAgeS: nullable(integer(0, WAIT_MS_MAX)),
})

export const traffic: Members<Traffic> = {
  cors: optional(cors),
}
