/**
 * Templates made ready: text with expressions in it becomes a header's value, a part of a path or a
 * query, or a document, each with the encoding that keeps a value from becoming structure.
 * Pinned by template.test.ts: "no value becomes structure of a path, a query or a header".
 */
import type { Template, TemplateTree } from '#wire/value'
import type { PreparedTree } from '../phases/forward/prepared-aggregate.ts'
import type { Expressions } from './expression.ts'
import type { CelValue, ExpressionFailure, PreparedTemplate } from './expression-types.ts'
import type { Refused } from './prepare.ts'

/** Text as it is; several parts are joined, lists and maps as JSON. */
export function prepareTemplate(
  _template: Template,
  _expressions: Expressions,
  _locals?: readonly string[],
): PreparedTemplate | Refused {
  throw new Error('in work')
}

/** Renders what may stand as a header's value, or fails. */
export function prepareHeaderValue(
  _template: Template,
  _expressions: Expressions,
  _locals?: readonly string[],
): PreparedTemplate | Refused {
  throw new Error('in work')
}

/** Renders one segment of a path: holes encoded, literal text as it stands. */
export function prepareSegment(
  _template: Template,
  _expressions: Expressions,
  _locals?: readonly string[],
): PreparedTemplate | Refused {
  throw new Error('in work')
}

/** Renders a name or a value of a query: holes encoded, literal text as it stands. */
export function prepareQueryPart(
  _template: Template,
  _expressions: Expressions,
  _locals?: readonly string[],
): PreparedTemplate | Refused {
  throw new Error('in work')
}

export function prepareTree(
  _tree: TemplateTree,
  _expressions: Expressions,
  _locals?: readonly string[],
): PreparedTree | Refused {
  throw new Error('in work')
}

/** String, number or bool; control characters are refused, other non-ASCII is percent-encoded. */
export function headerText(_value: CelValue): string | ExpressionFailure {
  throw new Error('in work')
}

/** Everything but unreserved characters percent-encoded; empty, `.` and `..` are failures. */
export function encodeSegment(_value: CelValue): string | ExpressionFailure {
  throw new Error('in work')
}

/** As a segment, but it may be empty. */
export function encodeQueryValue(_value: CelValue): string | ExpressionFailure {
  throw new Error('in work')
}
