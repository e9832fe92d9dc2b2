/**
 * Header templates at request time: what a rule adds to a request or an answer. A value that cannot
 * be computed leaves the header out, or refuses the request where the rule says so.
 * Pinned by header-edits.test.ts: "a value that cannot be computed is never the client's".
 */
import { type Failure, fail } from '../request/failure.ts'
import type { Scope } from '../runtime/expression-types.ts'
import type { PreparedHeader, PreparedHeaderEdits } from '../runtime/runtime.ts'

/** Appends to the flat list. */
export function pushHeaders(
  headers: string[],
  added: readonly PreparedHeader[],
  scope: Scope,
): Failure | null {
  for (const { name, value, onFailure } of added) {
    const text = typeof value === 'string' ? value : value.render(scope)
    if (typeof text === 'string') headers.push(name, text)
    else if (onFailure === 'refuse') {
      return fail('header-missing', `The header ${name} cannot be computed for this request.`)
    }
  }
  return null
}

/** Of an answer: names are compared without case, other spellings are other headers. */
export function editedHeaders(
  headers: readonly string[],
  edits: PreparedHeaderEdits,
  scope: Scope,
): string[] | Failure {
  const edited: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!edits.removed.includes(name.toLowerCase())) edited.push(name, headers[i + 1] ?? '')
  }
  return pushHeaders(edited, edits.added, scope) ?? edited
}
