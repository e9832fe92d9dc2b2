/**
 * Bytes of the wire become frames, strictly: a frame that this version does not know exactly is
 * refused with its reason, never guessed at and never a throw.
 * Pinned by decode.test.ts: "no bytes make the decoder throw or accept what the plain twin refuses".
 */
import { checkObject } from './check.ts'
import type { Decoded } from './check.ts'
import { ENDPOINTS_MAX, FRAME_BYTES_MAX, REJECTIONS_MAX, UP_FRAME_BYTES_MAX } from './limits.ts'
import type { DownFrame, Endpoint, EndpointSet, Rejection, UpFrame } from './session.ts'
import {
  fault,
  frames,
  integer,
  key,
  list,
  map,
  nullable,
  object,
  oneOf,
  pattern,
  sentence,
  union,
} from './shape.ts'
import type { Shape } from './shape.ts'
import { source } from './shape-value.ts'
import { OBJECT_KINDS } from './table.ts'

const count = integer(0, Number.MAX_SAFE_INTEGER)
export const hash = pattern(/^[0-9a-f]{64}$/, 'a hash in lower-case hex')
const kind = oneOf(OBJECT_KINDS)
/** Compared as integers by length and digits, so leading zeros would deceive. */
export const epoch = pattern(/^(0|[1-9][0-9]{0,38})$/, 'a decimal integer')
export const basis: Shape = map(epoch)

export const endpointSet = object<EndpointSet>({
  backend: key,
  version: count,
  endpoints: list(
    object<Endpoint>({
      address: pattern(/^[A-Za-z0-9._:%-]+$/, 'an address', 253),
      port: integer(1, 65_535),
      zone: nullable(key),
    }),
    0,
    ENDPOINTS_MAX,
  ),
})

const downFrame = frames<DownFrame>({
  hello: { version: count, gateway: key, controller: key, epoch, basis },
  begin: {
    from: union<Extract<DownFrame, { type: 'begin' }>['from']>({ snapshot: {}, delta: { hash } }),
  },
  put: { object: checkObject },
  drop: { kind, key },
  endpoints: { set: endpointSet },
  commit: {
    basis,
    hash,
    trace: nullable(pattern(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/, 'a traceparent')),
  },
  ping: { hash, endpointsHash: hash },
})

const rejection = object<Rejection>({ kind, key, sources: list(source), reason: sentence })

const upFrame = frames<UpFrame>({
  resume: { version: count, dataPlane: key, epoch, basis, hash: nullable(hash) },
  ack: { basis, hash, rejected: list(rejection, 0, REJECTIONS_MAX) },
  refuse: { hash, reason: sentence },
})

/** Without its line break. */
export type Line = Uint8Array | string

export function decodeFrame(line: Line): Decoded<DownFrame> {
  return decodeWith(downFrame, line, FRAME_BYTES_MAX)
}

export function decodeUpFrame(line: Line): Decoded<UpFrame> {
  return decodeWith(upFrame, line, UP_FRAME_BYTES_MAX)
}

/** The one place where bytes become types: those of what `shape` is the shape of. */
export function decodeWith<T>(shape: Shape, line: Line, bytesMax: number): Decoded<T> {
  // The caller's buffer has the same limit; this one holds for whoever comes without a buffer.
  if (line.length > bytesMax) return refused(`is longer than ${bytesMax} bytes`)
  let value: T
  try {
    value = JSON.parse(typeof line === 'string' ? line : UTF8.decode(line))
  } catch {
    return refused('is not JSON') // the parser's own message quotes its input, which may be a secret
  }
  const found = shape(value)
  return found === null ? { kind: 'decoded', value } : { kind: 'refused', fault: found }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function refused(because: string): Decoded<never> {
  return { kind: 'refused', fault: fault(because) }
}
