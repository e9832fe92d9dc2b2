/**
 * The verdict on every object that users wrote, from the same steps that made the tables: whether it
 * is accepted, what is wrong with it, and where it runs. What concerns routes and policies stands in
 * judge-route.ts and judge-policy.ts.
 * Pinned by judge.test.ts: "a verdict that says nothing new keeps its identity".
 */
import type { ApiKeySpec } from '../../crds/api-key.ts'
import type { Verdict } from './compiled.ts'
import type { Ingredients } from './in-force.ts'
import { judgePolicy } from './judge-policy.ts'
import { judgeRoute } from './judge-route.ts'
import { acceptance, isFailure, type Opinion } from './judgement.ts'
import { keepIf, type Recorder, type Step } from './memo.ts'
import { FieldPath, type Problem } from './problem.ts'
import { namesOf } from './resolve.ts'
import type { OwnKind } from './snapshot.ts'
import type { Before } from './table.ts'

export interface JudgeSteps {
  /** Keyed '': by resourceId. */
  readonly verdicts: Step<ReadonlyMap<string, Verdict>>
}

type Judge = (key: string, at: Recorder, before: Before) => Opinion | null

/** LastValid objects are ours: nobody is told about them. */
const JUDGES: { readonly [K in Exclude<OwnKind, 'LastValid'>]: Judge } = {
  ApiGateway: judgeGateway,
  ApiRoute: judgeRoute,
  AuthPolicy: (key, at, before) => judgePolicy('AuthPolicy', key, { at, before }),
  RateLimitPolicy: (key, at, before) => judgePolicy('RateLimitPolicy', key, { at, before }),
  Consumer: judgeConsumer,
  ApiKey: judgeKey,
}
const JUDGED = [
  'ApiGateway',
  'ApiRoute',
  'AuthPolicy',
  'RateLimitPolicy',
  'Consumer',
  'ApiKey',
] as const

type Entry = readonly [id: string, verdict: Verdict]

export function createJudge({ memo }: Ingredients, before: Before): JudgeSteps {
  const steps = JUDGED.map((kind) => ({
    kind,
    entry: memo.step<Entry | null>({
      name: `verdict of ${kind}`,
      keep: keepIf((a, b) => JSON.stringify(a) === JSON.stringify(b)),
      run(key, at) {
        const opinion = JUDGES[kind](key, at, before)
        return opinion === null ? null : [`${kind} ${key}`, verdictOf(opinion)]
      },
    }),
  }))
  return {
    verdicts: memo.step<ReadonlyMap<string, Verdict>>({
      name: 'verdicts',
      run(_, at) {
        const verdicts = new Map<string, Verdict>()
        for (const { kind, entry } of steps) {
          for (const chunk of at.ask(before.inForce.keys, kind)) {
            addAll(verdicts, at.askAll(entry, chunk))
          }
        }
        return verdicts
      },
    }),
  }
}

function addAll(verdicts: Map<string, Verdict>, entries: readonly (Entry | null)[]): void {
  for (const entry of entries) if (entry !== null) verdicts.set(entry[0], entry[1])
}

function verdictOf({ resource, problems, accepted, targets, runs }: Opinion): Verdict {
  const { kind, namespace, name, uid, generation, resourceVersion } = resource
  const sorted = [...problems.filter(isFailure), ...problems.filter((one) => !isFailure(one))]
  return {
    kind,
    namespace,
    name,
    uid,
    generation,
    resourceVersion,
    accepted,
    problems: sorted,
    targets,
    runs,
  }
}

// ---- kinds without targets ------------------------------------------------------------------

function judgeGateway(key: string, at: Recorder, before: Before): Opinion | null {
  const gateway = at.ask(before.inForce.gateway, key)
  if (gateway === null) return null
  const { resource, problems } = gateway
  return {
    resource,
    problems,
    accepted: acceptance(problems, 'some'),
    targets: [],
    runs: 'current',
  }
}

function judgeConsumer(key: string, at: Recorder, before: Before): Opinion | null {
  const consumer = at.ask(before.inForce.consumer, key)
  if (consumer === null) return null
  const { resource, problems, value } = consumer
  const runs = value === null ? 'nothing' : 'current'
  return { resource, problems, accepted: acceptance(problems, 'none'), targets: [], runs }
}

function judgeKey(key: string, at: Recorder, before: Before): Opinion | null {
  const found = at.ask(before.inForce.apiKey, key)
  if (found === null) return null
  const { resource, value } = found
  const problems = [...found.problems, ...conflictOf(key, value?.sha256 ?? null, { at, before })]
  const runs = problems.some(isFailure) ? 'nothing' : 'current'
  return { resource, problems, accepted: acceptance(problems, 'none'), targets: [], runs }
}

interface Scene {
  readonly at: Recorder
  readonly before: Before
}

function conflictOf(key: string, hash: string | null, { at, before }: Scene): readonly Problem[] {
  if (hash === null) return []
  const holder = at.ask(before.consumers.holders, '').get(hash)
  if (holder === undefined || holder === key) return []
  const { namespace, name } = namesOf(holder)
  const place = new FieldPath<ApiKeySpec>('spec').child('sha256')
  const sentence = `ApiKey ${namespace}/${name}, which is older, has the same hash; make another key and remove this one.`
  return [place.problem('Conflicted', sentence)]
}
