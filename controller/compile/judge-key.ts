/**
 * The verdict on an ApiKey: it opens only where its Consumer can be used and no older key of its
 * namespace has its hash. See judge.ts for what verdicts are.
 * Pinned by judge-key.test.ts: "a key whose Consumer is invalid says so instead of waiting for ever".
 */
import type { ApiKeySpec } from '../../crds/api-key.ts'
import type { ApiKey } from '#wire/auth'
import { acceptance, isFailure, type Opinion } from './judgement.ts'
import type { Recorder } from './memo.ts'
import { FieldPath, type Problem } from './problem.ts'
import { namesOf } from './resolve.ts'
import type { Before } from './table.ts'

const SPEC = new FieldPath<ApiKeySpec>('spec')

export function judgeKey(key: string, at: Recorder, before: Before): Opinion | null {
  const found = at.ask(before.inForce.apiKey, key)
  if (found === null) return null
  const { resource, value } = found
  const scene = { at, before }
  const problems = [...found.problems, ...(value === null ? [] : problemsOf(key, value, scene))]
  const runs = problems.some(isFailure) ? 'nothing' : 'current'
  return { resource, problems, accepted: acceptance(problems, 'none'), targets: [], runs }
}

interface Scene {
  readonly at: Recorder
  readonly before: Before
}

/** One that opens nothing by itself is in nobody's way. */
function problemsOf(key: string, { consumer, sha256 }: ApiKey, scene: Scene): readonly Problem[] {
  const unusable = unusableConsumer(consumer, scene)
  return unusable === null
    ? conflictOf(key, namesOf(consumer).namespace, sha256, scene)
    : [unusable]
}

/** A Consumer that is not there at all is told where the reference is read. */
function unusableConsumer(consumerKey: string, { at, before }: Scene): Problem | null {
  if (at.ask(before.inForce.consumer, consumerKey)?.value !== null) return null
  const { namespace, name } = namesOf(consumerKey)
  const sentence = `Consumer "${name}" in namespace "${namespace}" is not valid, so the key opens nothing; its status says what to mend.`
  return SPEC.child('consumerRef').child('name').problem('TargetNotFound', sentence)
}

function conflictOf(
  key: string,
  consumers: string,
  hash: string,
  { at, before }: Scene,
): readonly Problem[] {
  const holder = at.ask(before.consumers.holders, hash).find((one) => one.namespace === consumers)
  if (holder === undefined) return []
  const place = SPEC.child('sha256')
  if (holder.key !== key) {
    const sentence = `ApiKey ${holder.key}, which is older, has the same hash; make another key and remove this one.`
    return [place.problem('Conflicted', sentence)]
  }
  if (holder.yieldsTo.length === 0) return []
  const others = holder.yieldsTo.map((namespace) => `"${namespace}"`).join(', ')
  const sentence = `An older key with this hash leads to a Consumer in namespace ${others}: a policy that accepts Consumers of there as well does not take this one; make another key.`
  return [place.warning('Conflicted', sentence)]
}
