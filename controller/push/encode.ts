/**
 * The wire encoder: table objects become lines of the wire. The only place in the controller where
 * a secret is revealed. Configuration walk: compile → PUSH (offer → encode → session) → ack.
 * Pinned by encode.test.ts: "an encoded object decodes to itself, with a digest that fits".
 */
import { hash } from 'node:crypto'
import type { CompiledObject, ReadCertificate, SealedSecret } from '../compile/compiled.ts'
import type { SecretBytes } from '../compile/snapshot.ts'
import { checkObject } from '#wire/check'
import { digestText, endpointsText } from '#wire/digest'
import { readCertificate } from './read-certificate.ts'
import { FRAME_BYTES_MAX } from '#wire/limits'
import type { DownFrame, EndpointSet } from '#wire/session'
import type { TableObject } from '#wire/table'
import type { Source } from '#wire/value'

export function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}

/** The digest of a secret's object, for compile, which must not see the value itself. */
export function fingerprint(secret: SecretBytes, key: string, sources: readonly Source[]): string {
  return sha256(digestText({ kind: 'secret', key, sources, value: revealed(secret) }))
}

/**
 * Judged when the Secret comes: one that expires while it is shown goes on being shown, and clients
 * say so.
 */
export function certificate(chain: SecretBytes, key: SecretBytes): ReadCertificate {
  const text = Buffer.from(revealed(chain).base64, 'base64').toString('utf8')
  return readCertificate(text, Buffer.from(revealed(key).base64, 'base64'), Date.now())
}

export function endpointsDigest(set: EndpointSet): string {
  return sha256(endpointsText(set))
}

export function frameLine(frame: Exclude<DownFrame, { type: 'put' }>): string {
  return `${JSON.stringify(frame)}\n`
}

export interface Encoder {
  /** The `put` of an object, encoded once for all streams. */
  put(object: CompiledObject): string
  /** Bytes of that `put`, without its line break. */
  bytes(object: CompiledObject): number
  /** Why no data plane could accept the object; undefined: nothing. */
  refusal(object: CompiledObject): string | undefined
}

export function createEncoder(): Encoder {
  const lines = new WeakMap<CompiledObject, string>()

  function put(object: CompiledObject): string {
    if (object.kind === 'secret') return putLine(open(object)) // never kept in clear text
    const known = lines.get(object)
    if (known !== undefined) return known
    const line = putLine(object)
    lines.set(object, line)
    return line
  }

  return {
    put,
    bytes: (object) => Buffer.byteLength(put(object)) - 1,
    refusal(object) {
      const found = checkObject(object.kind === 'secret' ? open(object) : object)
      const name = `${object.kind} "${object.key}"`
      if (found !== null) return `${name}${found.path} ${found.sentence}`
      return lengthOf(put(object)) > FRAME_BYTES_MAX
        ? `${name} is longer than ${FRAME_BYTES_MAX} bytes`
        : undefined
    },
  }
}

/** Exact only where it matters: no character takes more than three bytes. */
function lengthOf(line: string): number {
  return line.length * 3 > FRAME_BYTES_MAX ? Buffer.byteLength(line) : line.length
}

function putLine({ kind, key, sources, value, digest }: TableObject): string {
  // Members in this order, and none besides: the digest was made over the text of these.
  return `${JSON.stringify({ type: 'put', object: { kind, key, sources, value, digest } })}\n`
}

function open({ kind, key, sources, value, digest }: SealedSecret): TableObject {
  return { kind, key, sources, value: revealed(value), digest }
}

function revealed(secret: SecretBytes): { readonly base64: string } {
  return { base64: secret.reveal().toString('base64') }
}
