/**
 * The verdict on every object that users wrote, from the same steps that made the tables: whether it
 * is accepted, what is wrong with it, and where it runs. What concerns one kind stands in
 * judge-route.ts, judge-policy.ts, judge-consumer.ts and judge-key.ts.
 * Pinned by judge.test.ts: "a verdict that says nothing new keeps its identity".
 */
import type { Verdict } from './compiled.ts'
import type { Ingredients } from './in-force.ts'
import { judgeConsumer } from './judge-consumer.ts'
import { judgeKey } from './judge-key.ts'
import { judgePolicy } from './judge-policy.ts'
import { judgeRoute } from './judge-route.ts'
import { acceptance, isFailure, type Opinion } from './judgement.ts'
import { keepIf, type Recorder, type Step } from './memo.ts'
import { FieldPath } from './problem.ts'
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
  ApiBackend: judgeBackend,
}
const JUDGED = [
  'ApiGateway',
  'ApiRoute',
  'AuthPolicy',
  'RateLimitPolicy',
  'Consumer',
  'ApiKey',
  'ApiBackend',
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

const NOT_ALL_FITS = new FieldPath<unknown>('spec').warning(
  'TooLarge',
  'Not all of its hosts fit into the table of its data planes: the routes of those that answer 503 say TooLarge, and why.',
)

function judgeGateway(key: string, at: Recorder, before: Before): Opinion | null {
  const gateway = at.ask(before.inForce.gateway, key)
  if (gateway === null) return null
  const { resource } = gateway
  const full = at.ask(before.tables.closed, key).size > 0 ? [NOT_ALL_FITS] : []
  const problems = [...gateway.problems, ...full]
  return {
    resource,
    problems,
    accepted: acceptance(problems, 'some'),
    targets: [],
    runs: 'current',
  }
}

function judgeBackend(key: string, at: Recorder, before: Before): Opinion | null {
  const found = at.ask(before.inForce.apiBackend, key)
  if (found === null) return null
  const { resource, value, problems } = found
  const works = value === null ? 'none' : 'some'
  const runs = value === null ? 'nothing' : 'current'
  return { resource, problems, accepted: acceptance(problems, works), targets: [], runs }
}
