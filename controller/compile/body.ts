/**
 * The bound on a request's body.
 * Pinned by traffic.test.ts: "a bound is counted in bytes".
 */
import type { BodySpec } from '../../crds/traffic.ts'
import type { BodyBound } from '#wire/traffic'
import type { Checked, FieldPath } from './problem.ts'
import { sizeBytes } from './quantity.ts'

export function compileBody(spec: BodySpec, at: FieldPath<BodySpec>): Checked<BodyBound> {
  const bytesMax = sizeBytes(spec.max)
  if (bytesMax !== null) return { value: { bytesMax }, problems: [] }
  const sentence = 'Write a size such as 64Ki, 10Mi or 1048576 (bytes).'
  return { value: { bytesMax: 0 }, problems: [at.child('max').problem('Invalid', sentence)] }
}
