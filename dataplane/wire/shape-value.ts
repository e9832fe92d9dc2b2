/**
 * Shapes of the small parts that the objects of a table are made of (value.ts).
 * Pinned by check.test.ts: "nothing is accepted that the plain twin refuses".
 */
import {
  EXPRESSION_BYTES_MAX,
  FIXED_BODY_BYTES_MAX,
  JSON_NESTING_MAX,
  KEY_BYTES_MAX,
  LITERAL_BYTES_MAX,
} from './limits.ts'
import {
  both,
  fault,
  integer,
  json,
  key,
  list,
  object,
  oneOf,
  pattern,
  sentence,
  single,
  text,
  union,
} from './shape.ts'
import type { Shape } from './shape.ts'
import { REJECT_CAUSES } from './value.ts'
import type {
  BackendTarget,
  HeaderEdits,
  HeaderTemplate,
  Reject,
  Source,
  TemplateTree,
} from './value.ts'

export const source = object<Source>({
  kind: key,
  name: key,
  uid: key,
  generation: integer(0, Number.MAX_SAFE_INTEGER),
})

export const expression = text(EXPRESSION_BYTES_MAX, 1)

/** Literal parts and holes, with what the literal parts together may be. */
export function template(literal: Shape, bytesMax: number): Shape {
  const part: Shape = (value) => (typeof value === 'string' ? literal(value) : hole(value))
  return both(list(part, 1), (value) => {
    const parts: readonly unknown[] = Array.isArray(value) ? value : []
    const bytes = parts.reduce<number>((sum, one) => sum + bytesOf(one), 0)
    return bytes <= bytesMax ? null : fault(`has more than ${bytesMax} bytes of text`)
  })
}

const hole = single({ expr: expression })

function bytesOf(part: unknown): number {
  return typeof part === 'string' ? Buffer.byteLength(part) : 0
}

export const bodyTemplate = template(text(FIXED_BODY_BYTES_MAX), FIXED_BODY_BYTES_MAX)

/** Lower-case field name (RFC 9110 section 5.6.2: a token). */
export const headerName = pattern(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, 'a header name in lower case')

/** Printable, with spaces and tabs: a line break would be a header of its own. */
const headerText = pattern(
  /^[\t\x20-\x7e\x80-\u{10ffff}]*$/u,
  'free of control characters',
  LITERAL_BYTES_MAX,
)

export const headerTemplate = object<HeaderTemplate>({
  name: headerName,
  value: template(headerText, LITERAL_BYTES_MAX),
  onFailure: oneOf(['remove', 'refuse']),
})

export const headerEdits = object<HeaderEdits>({
  remove: list(headerName),
  set: list(headerTemplate),
  add: list(headerTemplate),
})

export const rejectMembers = {
  status: oneOf([500, 503]),
  cause: oneOf(REJECT_CAUSES),
  because: sentence,
}
export const reject = union<Reject>({ reject: rejectMembers })

export const backendTarget = union<BackendTarget>({
  backend: { backend: key },
  reject: rejectMembers,
})

/** A document of bounded depth and size, such as what stands in for a missing body. */
export const smallJson = both(json, (value) =>
  Buffer.byteLength(JSON.stringify(value)) <= FIXED_BODY_BYTES_MAX
    ? null
    : fault(`is longer than ${FIXED_BODY_BYTES_MAX} bytes`),
)

const tooDeep: Shape = () => fault(`is nested deeper than ${JSON_NESTING_MAX} levels`)

/** Built from the innermost level outwards, so that looking at a tree needs no depth of its own. */
export const templateTree: Shape = Array.from({ length: JSON_NESTING_MAX }).reduce<Shape>(
  (tree) =>
    union<TemplateTree>({
      value: { value: smallJson },
      template: { template: bodyTemplate },
      object: {
        fields: list(
          object<Extract<TemplateTree, { kind: 'object' }>['fields'][number]>({
            name: text(KEY_BYTES_MAX),
            tree,
          }),
        ),
      },
      list: { items: list(tree) },
    }),
  tooDeep,
)
