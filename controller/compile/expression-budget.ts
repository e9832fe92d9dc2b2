/**
 * How much text of one resource has to be parsed, asked before any of it is: all rules of a route
 * together, all entries of a policy. Whoever writes megabytes of expressions costs every other
 * resource the time, so that such a resource is refused as a whole, without a look at them.
 * Pinned by expression-budget.test.ts: "a route beyond the sum says so quickly, and harms no other".
 */
import { eachWritten } from '../../crds/written.ts'
import { utf8Bytes } from '#wire/expression-text'
import { EXPRESSIONS_PER_OBJECT_BYTES_MAX } from '#wire/limits'
import { FieldPath, type Problem } from './problem.ts'
import { holesOf } from './template.ts'

type Judged = 'ApiRoute' | 'AuthPolicy' | 'RateLimitPolicy'

/** Measured at their worst, a byte of a pattern takes as long as four of an expression. */
const PATTERN_WEIGHT = 4

/** Empty where the resource may be compiled. `spec` is valid. */
export function overspent(kind: Judged, spec: unknown): readonly Problem[] {
  const bytes = writtenBytes(kind, spec)
  if (bytes <= EXPRESSIONS_PER_OBJECT_BYTES_MAX) return []
  const most = `${EXPRESSIONS_PER_OBJECT_BYTES_MAX / 1024} KiB`
  const sentence =
    `The expressions of this resource are ${Math.ceil(bytes / 1024)} KiB together (a pattern ` +
    `counts ${PATTERN_WEIGHT} times), and ${most} is the most; split it into several resources.`
  return [new FieldPath<unknown>('spec').problem('TooExpensive', sentence)]
}

function writtenBytes(kind: Judged, spec: unknown): number {
  let bytes = 0
  eachWritten(kind, spec, (form, text) => {
    switch (form) {
      case 'expression':
        bytes += utf8Bytes(text)
        return
      case 'pattern':
        bytes += PATTERN_WEIGHT * utf8Bytes(text)
        return
      case 'template':
        for (const hole of holesOf(text)) bytes += utf8Bytes(hole)
        return
      default:
        form satisfies never
    }
  })
  return bytes
}
