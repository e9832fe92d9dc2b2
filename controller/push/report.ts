/**
 * What one controller tells the leader about its data planes: NDJSON in the body of
 * `POST /v1/replica`. Versions are the teller's own count of its tables, and mean nothing elsewhere;
 * so it also tells since which of them each resource has been carried in which generation.
 * Pinned by report.test.ts: "no bytes make the decoder throw, and what was told is what is heard".
 */
import { decodeWith } from '#wire/decode'
import { REJECTIONS_MAX } from '#wire/limits'
import type { Rejection } from '#wire/session'
import { frames, integer, key, list, nullable, object, oneOf, sentence } from '#wire/shape'
import { source } from '#wire/shape-value'
import { OBJECT_KINDS } from '#wire/table'

export interface CarriedResource {
  readonly uid: string
  readonly generation: number
  /** The first version that carries this generation. */
  readonly version: number
}

export interface ReportedMember {
  readonly dataPlane: string
  readonly connectedAtMs: number
  readonly version: number | null
  readonly rejected: readonly Rejection[]
  readonly refused: string | null
}

export type ReportFrame =
  /** The first, and once: the teller's name in the Lease. */
  | { readonly type: 'hello'; readonly replica: string }
  /** What is new since the last; a resource that is carried no more is not mentioned. */
  | {
      readonly type: 'carried'
      readonly gateway: string
      readonly resources: readonly CarriedResource[]
    }
  /** All members of a gateway, after whatever they run was told. */
  | {
      readonly type: 'members'
      readonly gateway: string
      readonly newest: number
      readonly members: readonly ReportedMember[]
    }

/** 400 KB: the resources of a large table take some twenty of them. */
const CARRIED_MAX = 2_000
/** A gateway has some hundred data planes at most; each may reject some objects. */
const MEMBERS_MAX = 4_096
export const REPORT_BYTES_MAX = 16 * 1024 * 1024

const count = integer(0, Number.MAX_SAFE_INTEGER)
const rejection = object<Rejection>({
  kind: oneOf(OBJECT_KINDS),
  key,
  sources: list(source),
  reason: sentence,
})
const member = object<ReportedMember>({
  dataPlane: key,
  connectedAtMs: count,
  version: nullable(count),
  rejected: list(rejection, 0, REJECTIONS_MAX),
  refused: nullable(sentence),
})
const resource = object<CarriedResource>({ uid: key, generation: count, version: count })
const reportFrame = frames<ReportFrame>({
  hello: { replica: key },
  carried: { gateway: key, resources: list(resource, 0, CARRIED_MAX) },
  members: { gateway: key, newest: count, members: list(member, 0, MEMBERS_MAX) },
})

export type Told =
  | { readonly kind: 'frame'; readonly frame: ReportFrame }
  | { readonly kind: 'refused'; readonly because: string }

export function decodeReport(line: Uint8Array | string): Told {
  const decoded = decodeWith<ReportFrame>(reportFrame, line, REPORT_BYTES_MAX)
  if (decoded.kind === 'decoded') return { kind: 'frame', frame: decoded.value }
  const { path, sentence: because } = decoded.fault
  return { kind: 'refused', because: `${path} ${because}`.trim() }
}

export function* reportLines(frame: ReportFrame): Generator<string> {
  if (frame.type !== 'carried' || frame.resources.length <= CARRIED_MAX) {
    yield `${JSON.stringify(frame)}\n`
    return
  }
  for (let i = 0; i < frame.resources.length; i += CARRIED_MAX) {
    const resources = frame.resources.slice(i, i + CARRIED_MAX)
    yield `${JSON.stringify({ ...frame, resources })}\n`
  }
}
