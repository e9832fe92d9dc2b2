/**
 * Faults that a rule makes on purpose, for its users to try how they bear them.
 * Pinned by faults.test.ts: "a share is counted in thousandths of a percent".
 */
import type { FaultsSpec } from '../../crds/traffic.ts'
import { type Faults, type Share, SHARE_WHOLE } from '#wire/traffic'
import type { Checked, FieldPath } from './problem.ts'
import { waitMs } from './quantity.ts'

export function compileFaults(spec: FaultsSpec, at: FieldPath<FaultsSpec>): Checked<Faults> {
  const { delay, abort } = spec
  const wait = delay === undefined ? null : waitMs(delay.for, at.child('delay').child('for'), '0s')
  const value: Faults = {
    delay: delay === undefined ? null : { share: shareOf(delay.share), ms: wait?.value ?? 0 },
    abort: abort === undefined ? null : { share: shareOf(abort.share), status: abort.status },
  }
  return { value, problems: wait?.problems ?? [] }
}

/** The schema has seen the form: `0.125%`, at most three digits after the point. */
export function shareOf(text: string): Share {
  return Math.round((Number.parseFloat(text) * SHARE_WHOLE) / 100)
}
