/**
 * Reads an object that somebody wrote: the typed spec, or all that is wrong with it. The same checks
 * as the API server makes with the manifest, for folders, and for objects that were stored before a
 * check existed. Pure: no I/O, no clock.
 * Pinned by decode.test.ts: "every bad object is refused at its path with a sentence that helps".
 */
import { type DecodeProblem, Findings, type Place } from './findings.ts'
import { inspect, isRecord } from './inspect.ts'
import { type CrdKind, KINDS, type KindFacts, type SpecOf } from './kinds.ts'
import { missing, unknownField, wrongType } from './sentence.ts'

export interface Decoded<S> {
  /** Null where anything is wrong. It is the content's own spec, not a copy. */
  readonly spec: S | null
  readonly problems: readonly DecodeProblem[]
}

const FIELDS = ['apiVersion', 'kind', 'metadata', 'spec', 'status']

/** `content` is the whole object, as read. */
export function decode<K extends CrdKind>(kind: K, content: unknown): Decoded<SpecOf[K]> {
  const facts = KINDS[kind]
  const findings = new Findings()
  if (!isRecord(content)) {
    findings.add(root('kind'), 'Invalid', wrongType({ type: 'object' }, content))
    return { spec: null, problems: findings.problems }
  }
  inspectHead(facts, content, findings)
  if (Object.hasOwn(content, 'spec')) inspect(facts.spec, content['spec'], root('spec'), findings)
  else findings.add(root('spec'), 'Invalid', missing(facts.spec))
  const { spec } = content
  return isSound(kind, spec, findings)
    ? { spec, problems: [] }
    : { spec: null, problems: findings.problems }
}

/** The one place where content becomes typed: nothing was found against it. */
function isSound<K extends CrdKind>(_: K, spec: unknown, findings: Findings): spec is SpecOf[K] {
  return spec !== undefined && findings.count === 0
}

function root(step: string): Place {
  return { parent: null, step }
}

function inspectHead(
  facts: KindFacts,
  content: { readonly [field: string]: unknown },
  findings: Findings,
): void {
  const { kind, apiVersion } = content
  const versions = facts.versions.map((version) => `${facts.group}/${version}`)
  if (typeof apiVersion !== 'string' || !versions.includes(apiVersion)) {
    findings.add(root('apiVersion'), 'Invalid', `Write apiVersion: ${versions[0]}.`)
  }
  if (kind !== facts.kind) findings.add(root('kind'), 'Invalid', `Write kind: ${facts.kind}.`)
  for (const key of Object.keys(content)) {
    if (FIELDS.includes(key)) continue
    if (findings.visit(root(key)) === 'ended') return
    findings.add(root(key), 'UnknownField', strayField(facts, key))
  }
}

/** The commonest slip: a field of the spec that stands one level too high. */
function strayField(facts: KindFacts, key: string): string {
  const fields = Object.keys(fieldsOf(facts))
  return fields.includes(key) ? `${key} belongs under spec: indent it.` : unknownField(key, FIELDS)
}

function fieldsOf(facts: KindFacts): object {
  const spec: { readonly properties?: object } = facts.spec
  return spec.properties ?? {}
}
