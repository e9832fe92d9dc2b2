/**
 * Headers that a resource writes: edits of a rule, headers of a fixed answer, of a call, and those a
 * policy forwards. Called by the steps of routes, policies and aggregates.
 * Pinned by header.test.ts: "edits keep their order and their names come out in lower case".
 */
import type { HeaderEditsSpec, HeaderValueSpec } from '../../crds/api-route.ts'
import { HEADER_VALUE_BYTES_MAX } from '#wire/limits'
import type { HeaderEdits, HeaderTemplate, Template } from '#wire/value'
import { type ExpressionFacts, mergeFacts, NO_FACTS, type Within } from './expression.ts'
import { headerName } from './header-name.ts'
import type { Checked, FieldPath, Problem } from './problem.ts'
import { type CheckedWithFacts, parseTemplate } from './template.ts'

/** Where one name may stand twice: lines that are added, but not values that are set. */
export type Repeats = 'allowed' | 'refused'

export function compileHeaders(
  list: readonly HeaderValueSpec[],
  at: FieldPath<readonly HeaderValueSpec[]>,
  within: Within,
  repeats: Repeats,
): CheckedWithFacts<readonly HeaderTemplate[]> {
  const value: HeaderTemplate[] = []
  const problems: Problem[] = []
  const facts: ExpressionFacts[] = []
  const seen = new Set<string>()
  for (const [i, spec] of list.entries()) {
    const header = compileHeader(spec, at.index(i), within)
    problems.push(...header.problems)
    facts.push(header.facts)
    if (header.value === null) continue
    if (seen.has(header.value.name) && repeats === 'refused') {
      const sentence = `"${spec.name}" is set twice; keep one of the two.`
      problems.push(at.index(i).child('name').problem('Invalid', sentence))
      continue
    }
    seen.add(header.value.name)
    value.push(header.value)
  }
  return { value, problems, facts: mergeFacts(facts) }
}

function compileHeader(
  spec: HeaderValueSpec,
  at: FieldPath<HeaderValueSpec>,
  within: Within,
): CheckedWithFacts<HeaderTemplate | null> {
  const name = headerName(spec.name)
  if (name.kind === 'refused') {
    const problem = at.child('name').problem('Invalid', name.because)
    return { value: null, problems: [problem], facts: NO_FACTS }
  }
  const { value, problems, facts } = parseTemplate(spec.value, at.child('value'), within)
  if (value === null) return { value: null, problems, facts }
  const sentence = wrongIn(value)
  if (sentence !== null) {
    const problem = at.child('value').problem('Invalid', sentence)
    return { value: null, problems: [...problems, problem], facts }
  }
  const onFailure = spec.required === true ? 'refuse' : 'remove'
  return { value: { name: name.name, value, onFailure }, problems, facts }
}

const CONTROL = /\p{Cc}/u

/** Literal text is the same for every request: what a data plane would refuse of it is told here. */
function wrongIn(template: Template): string | null {
  const text = template.filter((part) => typeof part === 'string').join('')
  if (CONTROL.test(text)) {
    return 'A header value holds no line breaks, tabs or other control characters; remove them.'
  }
  if (!text.isWellFormed()) return 'This holds half of a character; write the whole one.'
  const bytes = text.replaceAll(/[^\x20-\x7e]+/g, encodeURIComponent).length
  if (bytes <= HEADER_VALUE_BYTES_MAX) return null
  return `Percent-encoded, as it is sent, this is ${bytes} bytes long, and ${HEADER_VALUE_BYTES_MAX} are the most; write less.`
}

export function compileHeaderEdits(
  spec: HeaderEditsSpec,
  at: FieldPath<HeaderEditsSpec>,
  within: Within,
): Checked<HeaderEdits> {
  const remove = removals(spec.remove ?? [], at.child('remove'))
  const set = compileHeaders(spec.set ?? [], at.child('set'), within, 'refused')
  const add = compileHeaders(spec.add ?? [], at.child('add'), within, 'allowed')
  return {
    value: { remove: remove.value, set: set.value, add: add.value },
    problems: [...remove.problems, ...set.problems, ...add.problems],
  }
}

function removals(
  names: readonly string[],
  at: FieldPath<readonly string[]>,
): Checked<readonly string[]> {
  const value = new Set<string>()
  const problems: Problem[] = []
  for (const [i, written] of names.entries()) {
    const name = headerName(written)
    if (name.kind === 'refused') problems.push(at.index(i).problem('Invalid', name.because))
    else value.add(name.name)
  }
  return { value: [...value], problems }
}

/** The answer exists before its headers are computed: there is no request left to refuse. */
export function refuseRequired(
  spec: HeaderEditsSpec,
  at: FieldPath<HeaderEditsSpec>,
): readonly Problem[] {
  const sentence = 'Only headers of the request can be required; remove it here.'
  const lists = [
    { list: spec.set ?? [], at: at.child('set') },
    { list: spec.add ?? [], at: at.child('add') },
  ]
  return lists.flatMap(({ list, at: place }) =>
    list.flatMap((header, i) =>
      header.required === true
        ? [place.index(i).child('required').problem('Invalid', sentence)]
        : [],
    ),
  )
}
