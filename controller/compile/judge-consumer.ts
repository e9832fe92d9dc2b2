/**
 * The verdict on a Consumer: whether it can be used, what of its identities others hold, and whether
 * its state has any effect. See judge.ts for what verdicts are.
 * Pinned by judge-consumer.test.ts: "a suspended Consumer is told when nothing asks for its state".
 */
import type { ConsumerSpec } from '../../crds/consumer.ts'
import type { Taken } from './identities.ts'
import { acceptance, type Opinion } from './judgement.ts'
import type { Recorder } from './memo.ts'
import { FieldPath, type Problem } from './problem.ts'
import { namesOf } from './resolve.ts'
import type { Before } from './table.ts'

const SPEC = new FieldPath<ConsumerSpec>('spec')

export function judgeConsumer(key: string, at: Recorder, before: Before): Opinion | null {
  const consumer = at.ask(before.inForce.consumer, key)
  if (consumer === null) return null
  const { resource, value } = consumer
  const taken = at.ask(before.consumers.taken, ` ${key}`) ?? []
  const suspended = value?.state === 'Suspended' ? unread(at, before) : []
  const problems = [...consumer.problems, ...taken.map(identityTaken), ...suspended]
  const works = value === null ? 'none' : 'some'
  const runs = value === null ? 'nothing' : 'current'
  return { resource, problems, accepted: acceptance(problems, works), targets: [], runs }
}

function identityTaken({ position, holder }: Taken): Problem {
  const { name } = namesOf(holder)
  const sentence = `Consumer "${name}", which is older, has the same identity: whoever shows it is that one; remove one of the two.`
  return SPEC.child('identities').index(position).problem('Conflicted', sentence)
}

function unread(at: Recorder, before: Before): readonly Problem[] {
  if (at.ask(before.consumers.stateRead, '') === 'somewhere') return []
  const sentence =
    'No policy asks for consumer.state, so this Consumer is served as if it were Active; add to authorize of its AuthPolicy: require: consumer.state == "Active".'
  return [SPEC.child('state').warning('Invalid', sentence)]
}
