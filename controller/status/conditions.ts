/**
 * What compile judged and what data planes run, as the status that users read. Pure: equal inputs
 * give equal statuses, and a condition keeps its time until it turns.
 * Pinned by conditions.test.ts: "Programmed is latched for a generation".
 */
import type { ConditionReason, ConditionType } from '../../crds/condition.ts'
import type { Judgement, TargetName, TargetVerdict, Verdict } from '../compile/compiled.ts'
import { listAt, numberAt, textAt } from '../kube/fields.ts'
import type { Running } from '../push/tally.ts'
import type { Laggards } from './lag.ts'

export interface Condition {
  readonly type: ConditionType
  readonly status: 'True' | 'False'
  readonly reason: ConditionReason
  readonly message: string
  readonly observedGeneration: number
  readonly lastTransitionTime: string
}

export interface ObjectStatus {
  readonly observedGeneration: number
  readonly conditions: readonly Condition[]
  readonly problems: readonly StatusProblem[]
  readonly targets?: readonly TargetStatus[]
  readonly gateways?: readonly GatewayStatus[]
}

export interface StatusProblem {
  readonly path: string
  readonly reason: ConditionReason
  readonly sentence: string
}

/** One target of a policy. */
export interface TargetStatus {
  readonly target: {
    readonly kind: string
    readonly namespace: string
    readonly name: string
    readonly sectionName?: string
  }
  readonly conditions: readonly Condition[]
}

/** One gateway of a route. */
export interface GatewayStatus {
  readonly gateway: { readonly namespace: string; readonly name: string }
  readonly conditions: readonly Condition[]
}

export interface StatusInput {
  readonly verdict: Verdict
  /** How far the object's running generation has come on one gateway. */
  readonly progress: (gateway: string) => Running
  /** For kinds without targets: all gateways whose tables carry the object. */
  readonly gateways: readonly string[]
  /** Data planes that are behind; null for all kinds but ApiGateway. */
  readonly laggards: Laggards | null
  /** The status as it was last read: times and the latch come from it. */
  readonly before: unknown
  /** RFC 3339, whole seconds. */
  readonly now: string
}

/** More would hide what matters; failures come first. */
const PLACES_MAX = 16
const PROBLEMS_MAX = 16
const MESSAGE_LENGTH_MAX = 1024

export function statusOf(input: StatusInput): ObjectStatus {
  const { verdict } = input
  const places = verdict.targets.map((target) => placeOf(input, target))
  const programmed = overall(
    places.map((place) => place.programmed),
    input,
  )
  const top = [
    conditionOf(input, input.before, 'Accepted', verdict.accepted),
    conditionOf(input, input.before, 'Programmed', programmed),
  ]
  if (input.laggards !== null) {
    top.push(conditionOf(input, input.before, 'DataPlanesInSync', inSync(input.laggards, input)))
  }
  const shown = places.toSorted((a, b) => rank(a) - rank(b)).slice(0, PLACES_MAX)
  return {
    observedGeneration: verdict.generation,
    conditions: top,
    problems: verdict.problems
      .slice(0, PROBLEMS_MAX)
      .map(({ path, reason, sentence }) => ({ path, reason, sentence: cut(sentence) })),
    ...(verdict.targets.length === 0 ? {} : listed(verdict, shown)),
  }
}

function listed(
  { kind }: Verdict,
  places: readonly Place[],
): Pick<ObjectStatus, 'gateways' | 'targets'> {
  if (kind === 'ApiRoute') {
    return {
      gateways: places.map(({ target: { namespace, name }, conditions }) => ({
        gateway: { namespace, name },
        conditions,
      })),
    }
  }
  return {
    targets: places.map(({ target: { sectionName, ...target }, conditions }) => ({
      target: sectionName === null ? target : { ...target, sectionName },
      conditions,
    })),
  }
}

/** Equal but for the times of conditions: then there is nothing to write. */
export function sameStatus(before: unknown, after: ObjectStatus): 'same' | 'different' {
  return contentOf(before) === contentOf(after) ? 'same' : 'different'
}

/** What a status says, without the times of its conditions and whatever the order of its keys. */
export function contentOf(status: unknown): string {
  return JSON.stringify(status, (key, inner: unknown) => {
    if (key === 'lastTransitionTime') return undefined
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}

const PASSING: ReadonlySet<ConditionReason> = new Set([
  'Reconciling',
  'PartiallyProgrammed',
  'NoDataPlanes',
])

/** Valid, and not everywhere yet: normal for the moment that a push takes. */
export function isPassing({ conditions }: ObjectStatus): boolean {
  const accepted = conditions.find(({ type }) => type === 'Accepted')
  const programmed = conditions.find(({ type }) => type === 'Programmed')
  return (
    accepted?.status === 'True' && programmed?.status === 'False' && PASSING.has(programmed.reason)
  )
}

interface Place {
  readonly target: TargetName
  readonly conditions: readonly Condition[]
  readonly accepted: Judgement
  readonly programmed: Judgement
}

function rank(place: Place): number {
  if (place.accepted.status === 'False') return 0
  return place.programmed.status === 'False' ? 1 : 2
}

function placeOf(input: StatusInput, target: TargetVerdict): Place {
  const programmed =
    target.programmed ??
    together(target.gateways.map((gateway) => judged(input.progress(gateway), input.verdict)))
  const before = placeBefore(input, target.target)
  const latched = latch(input, before, programmed)
  return {
    target: target.target,
    accepted: target.accepted,
    programmed: latched,
    conditions: [
      conditionOf(input, before, 'Accepted', target.accepted),
      conditionOf(input, before, 'Programmed', latched),
    ],
  }
}

/** Kinds without targets are judged on every gateway that carries them. */
function overall(places: readonly Judgement[], input: StatusInput): Judgement {
  const { verdict } = input
  if (places.length > 0) return together(places)
  if (verdict.runs === 'nothing') return NOT_ACCEPTED
  const each = input.gateways.map((gateway) => judged(input.progress(gateway), verdict))
  return latch(input, input.before, together(each))
}

const NOT_ACCEPTED: Judgement = {
  status: 'False',
  reason: 'NotAccepted',
  message: 'Nothing of it runs; see Accepted.',
}
const NO_DATA_PLANES: Judgement = {
  status: 'False',
  reason: 'NoDataPlanes',
  message: 'The gateway has no ready data plane.',
}

function judged(progress: Running, verdict: Verdict): Judgement {
  switch (progress.kind) {
    case 'everywhere':
      return {
        status: 'True',
        reason: 'Programmed',
        message:
          verdict.runs === 'lastValid'
            ? 'The last valid spec runs on every data plane.'
            : 'It runs on every data plane.',
      }
    case 'notYet':
      return {
        status: 'False',
        reason: 'Reconciling',
        message: 'Not every data plane runs it yet.',
      }
    case 'nobody':
      return NO_DATA_PLANES
    case 'rejected':
      return {
        status: 'False',
        reason: 'Rejected',
        message: cut(`Data plane ${progress.by} cannot execute it: ${progress.because}`),
      }
    default:
      return progress satisfies never
  }
}

function together(judgements: readonly Judgement[]): Judgement {
  const [first] = judgements
  if (first === undefined) return NO_DATA_PLANES
  const failed = judgements.filter((judgement) => judgement.status === 'False')
  const [failure] = failed
  if (failure === undefined) return first
  if (failed.length === judgements.length) return failure
  return {
    status: 'False',
    reason: 'PartiallyProgrammed',
    message: cut(`It runs in some places, but not in all: ${failure.message}`),
  }
}

/**
 * True for a generation stays true for it: members that come, go or lag show on the ApiGateway. Only
 * what compile decides, and a rejection, can take it back.
 */
function latch(input: StatusInput, before: unknown, now: Judgement): Judgement {
  if (now.reason !== 'Reconciling' && now.reason !== 'NoDataPlanes') return now
  const condition = conditionBefore(before, 'Programmed')
  const held =
    textAt(condition, 'status') === 'True' &&
    numberAt(condition, 'observedGeneration') === input.verdict.generation
  if (!held) return now
  return { status: 'True', reason: 'Programmed', message: textAt(condition, 'message') ?? '' }
}

const IN_SYNC: Judgement = {
  status: 'True',
  reason: 'InSync',
  message: 'Every data plane runs the newest table.',
}

/** Whoever is behind for a moment only changes nothing, neither way. */
function inSync({ lagging, passing }: Laggards, input: StatusInput): Judgement {
  const { before, gateways, progress } = input
  if (gateways.every((gateway) => progress(gateway).kind === 'nobody')) return NO_DATA_PLANES
  if (lagging.length > 0) return outOfSync(lagging)
  if (passing.length === 0) return IN_SYNC
  const condition = conditionBefore(before, 'DataPlanesInSync')
  if (textAt(condition, 'reason') === 'InSync') return IN_SYNC
  const message = textAt(condition, 'message')
  return textAt(condition, 'reason') === 'OutOfSync' && message !== null
    ? { ...outOfSync(passing), message }
    : outOfSync(passing)
}

function outOfSync(names: readonly string[]): Judgement {
  const message = cut(`Behind the newest table: ${names.slice(0, 16).join(', ')}.`)
  return { status: 'False', reason: 'OutOfSync', message }
}

function conditionOf(
  input: StatusInput,
  before: unknown,
  type: ConditionType,
  judgement: Judgement,
): Condition {
  const previous = conditionBefore(before, type)
  const kept = textAt(previous, 'status') === judgement.status
  return {
    type,
    status: judgement.status,
    reason: judgement.reason,
    message: cut(judgement.message),
    observedGeneration: input.verdict.generation,
    lastTransitionTime: (kept ? textAt(previous, 'lastTransitionTime') : null) ?? input.now,
  }
}

function conditionBefore(place: unknown, type: ConditionType): unknown {
  return listAt(place, 'conditions').find((condition) => textAt(condition, 'type') === type) ?? null
}

function placeBefore(input: StatusInput, target: TargetName): unknown {
  const [list, name] =
    input.verdict.kind === 'ApiRoute' ? ['gateways', 'gateway'] : ['targets', 'target']
  return (
    listAt(input.before, list).find(
      (place) =>
        textAt(place, name, 'namespace') === target.namespace &&
        textAt(place, name, 'name') === target.name &&
        textAt(place, name, 'sectionName') === target.sectionName &&
        (name === 'gateway' || textAt(place, name, 'kind') === target.kind),
    ) ?? null
  )
}

function cut(text: string): string {
  return text.length <= MESSAGE_LENGTH_MAX ? text : `${text.slice(0, MESSAGE_LENGTH_MAX - 1)}…`
}
