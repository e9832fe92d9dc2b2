/**
 * The verdict on an ApiKey: it opens only where its Consumer can be used and no older key has its
 * hash. See judge.ts for what verdicts are.
 * Pinned by judge-key.test.ts: "a key whose Consumer is invalid says so instead of waiting for ever".
 */
import type { ApiKeySpec } from '../../crds/api-key.ts'
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
  const problems =
    value === null
      ? found.problems
      : [
          ...found.problems,
          ...unusable(value.consumer, scene),
          ...conflictOf(key, value.sha256, scene),
        ]
  const runs = problems.some(isFailure) ? 'nothing' : 'current'
  return { resource, problems, accepted: acceptance(problems, 'none'), targets: [], runs }
}

interface Scene {
  readonly at: Recorder
  readonly before: Before
}

/** A Consumer that is not there at all is told where the reference is read. */
function unusable(consumerKey: string, { at, before }: Scene): readonly Problem[] {
  if (at.ask(before.inForce.consumer, consumerKey)?.value !== null) return []
  const { namespace, name } = namesOf(consumerKey)
  const sentence = `Consumer "${name}" in namespace "${namespace}" is not valid, so the key opens nothing; its status says what to mend.`
  return [SPEC.child('consumerRef').child('name').problem('TargetNotFound', sentence)]
}

function conflictOf(key: string, hash: string, { at, before }: Scene): readonly Problem[] {
  const holder = at.ask(before.consumers.holders, '').get(hash)
  if (holder === undefined || holder === key) return []
  const { namespace, name } = namesOf(holder)
  const sentence = `ApiKey ${namespace}/${name}, which is older, has the same hash; make another key and remove this one.`
  return [SPEC.child('sha256').problem('Conflicted', sentence)]
}
