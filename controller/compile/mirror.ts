/**
 * The backend that gets copies of a rule's requests. One that cannot be resolved gets none: the status
 * of the route says so, and the requests themselves are served.
 * Pinned by mirror.test.ts: "a mirror that cannot be resolved is told, and stops nothing".
 */
import type { MirrorSpec } from '../../crds/traffic.ts'
import type { Backend } from '#wire/table'
import type { Mirror } from '#wire/traffic'
import { resolveBackend } from './backend.ts'
import { shareOf } from './faults.ts'
import type { Checked, FieldPath } from './problem.ts'
import type { StepWithin } from './steps.ts'

export interface CompiledMirror {
  readonly mirror: Mirror
  readonly backends: ReadonlyMap<string, Backend>
}

export function compileMirror(
  spec: MirrorSpec,
  at: FieldPath<MirrorSpec>,
  within: StepWithin,
): Checked<CompiledMirror> {
  const place = at.child('backend')
  const { value, problems } = resolveBackend(spec.backend, place, within)
  const { target, backend } = value
  const backends = new Map<string, Backend>()
  if (target.kind === 'backend' && backend !== null) backends.set(target.backend, backend)
  const mirror: Mirror = { to: target, share: shareOf(spec.share ?? '100%') }
  return { value: { mirror, backends }, problems }
}
