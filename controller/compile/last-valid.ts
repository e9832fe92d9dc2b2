/**
 * Which spec of a route or policy is in force (design: section 5). An update that is invalid in
 * itself leaves the last valid spec in force, whole; where none is remembered, what is valid runs.
 * What other objects say (a missing Service, a host that is another's) never brings one back.
 * Pinned by last-valid.test.ts: "an invalid update keeps the whole last valid spec".
 */
import type { Problem } from './problem.ts'
import type { Reader } from './reader.ts'
import type { Remembered, Resource } from './snapshot.ts'
import { OWN_REASONS } from './steps.ts'

export type Runs = 'current' | 'lastValid' | 'nothing'

/** One reading of a spec, with all that is wrong with it. */
export interface Reading {
  readonly problems: readonly Problem[]
  /** `no`: nothing of it can run. */
  readonly usable: 'yes' | 'no'
}

export interface InForce<R extends Reading> {
  readonly resource: Resource
  readonly runs: Runs
  readonly reading: R
  /** Of the spec that runs, and that spec. */
  readonly generation: number
  readonly spec: unknown
  readonly problems: readonly Problem[]
  /** What is remembered where the last valid spec runs, else null. */
  readonly memory: Remembered | null
}

export interface Specs<R extends Reading> {
  readonly resource: Resource
  readonly reader: Reader
  /** Reads the object as if this were its content. */
  readonly read: (content: Resource['content']) => R
}

export function inForce<R extends Reading>({ resource, reader, read }: Specs<R>): InForce<R> {
  const { kind, namespace, name, generation, content } = resource
  const present = read(content)
  const own = present.problems.some(isOwnFailure)
  const memory = own ? sameObject(reader.remembered(kind, namespace, name), resource) : null
  if (memory !== null && !sameJson(memory.spec, content['spec'])) {
    return lastValid(resource, present, { memory, read })
  }
  return {
    resource,
    runs: present.usable === 'yes' ? 'current' : 'nothing',
    reading: present,
    generation,
    spec: content['spec'],
    // Accepted as it is by an earlier release: a check that came later only warns.
    problems: memory === null ? present.problems : present.problems.map(asWarning),
    memory: null,
  }
}

interface Earlier<R extends Reading> {
  readonly memory: Remembered
  readonly read: (content: Resource['content']) => R
}

function lastValid<R extends Reading>(
  resource: Resource,
  present: R,
  { memory, read }: Earlier<R>,
): InForce<R> {
  const reading = read({ ...resource.content, spec: memory.spec })
  const old = reading.problems.map((problem) => ofGeneration(problem, memory.generation))
  return {
    resource,
    runs: 'lastValid',
    reading,
    generation: memory.generation,
    spec: memory.spec,
    problems: [...present.problems, ...old],
    memory,
  }
}

/** An object made anew under the name is another one: nothing is remembered of it. */
function sameObject(memory: Remembered | null, resource: Resource): Remembered | null {
  return memory?.uid === resource.uid ? memory : null
}

export function isOwnFailure({ reason, severity }: Problem): boolean {
  return severity === 'failure' && OWN_REASONS.has(reason)
}

function asWarning(problem: Problem): Problem {
  return isOwnFailure(problem) ? { ...problem, severity: 'warning' } : problem
}

function ofGeneration(problem: Problem, generation: number): Problem {
  const sentence = `${problem.sentence} (In generation ${generation}, which still runs.)`
  return { ...problem, sentence }
}

/** Both are settled JSON, with keys in one order. */
export function sameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
