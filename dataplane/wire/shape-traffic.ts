/**
 * Shapes of what a rule may ask for besides its answer (traffic.ts).
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import { parseCidr } from './address.ts'
import { KEY_BYTES_MAX, WAIT_MS_MAX } from './limits.ts'
import { delivery } from './shape-delivery.ts'
import {
  fault,
  integer,
  key,
  keys,
  list,
  type Members,
  nullable,
  object,
  oneOf,
  optional,
  pattern,
  type Shape,
  text,
  waitMs,
} from './shape.ts'
import { backendTarget, headerName } from './shape-value.ts'
import {
  type Addresses,
  type BodyBound,
  type Cache,
  type CacheKeyPart,
  type Compression,
  type Cors,
  type Faults,
  type Mirror,
  SHARE_WHOLE,
  type Traffic,
} from './traffic.ts'

const cors = object<Cors>({
  origins: list(key, 1),
  methods: nullable(keys),
  headers: list(headerName),
  expose: list(headerName),
  credentials: oneOf(['allowed', 'refused']),
  maxAgeS: nullable(integer(0, WAIT_MS_MAX)),
})

const range: Shape = (value) =>
  typeof value === 'string' && parseCidr(value) !== null ? null : fault('must be a range')

const addresses = object<Addresses>({ allow: nullable(list(range)), deny: list(range) })

const body = object<BodyBound>({ bytesMax: integer(0, Number.MAX_SAFE_INTEGER) })

const share = integer(0, SHARE_WHOLE)
const faults = object<Faults>({
  delay: nullable(object<NonNullable<Faults['delay']>>({ share, ms: waitMs })),
  abort: nullable(object<NonNullable<Faults['abort']>>({ share, status: integer(400, 599) })),
})

const mediaType = pattern(/^[a-z0-9.+-]+\/(?:[a-z0-9.+-]+|[*])$/, 'a media type in lower case')
const compression = object<Compression>({
  types: list(mediaType, 1),
  minBytes: integer(0, WAIT_MS_MAX),
})

const keyPart = object<CacheKeyPart>({
  of: oneOf(['consumer', 'header', 'query', 'claim']),
  name: text(KEY_BYTES_MAX),
})
const cache = object<Cache>({
  ttlS: integer(0, WAIT_MS_MAX),
  audience: oneOf(['private', 'shared']),
  by: list(keyPart),
  staleIfErrorS: integer(0, WAIT_MS_MAX),
  staleWhileRevalidateS: optional(integer(0, WAIT_MS_MAX)),
})

export const traffic: Members<Traffic> = {
  cors: optional(cors),
  addresses: optional(addresses),
  body: optional(body),
  faults: optional(faults),
  cache: optional(cache),
  compression: optional(compression),
  mirror: optional(object<Mirror>({ to: backendTarget, share })),
  delivery: optional(delivery),
}
