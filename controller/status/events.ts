/**
 * Kubernetes Events for what turned: an object that is no longer accepted, one that runs everywhere.
 * They help people who look with `kubectl describe`; nothing depends on them, so a failed write is
 * logged and forgotten.
 * Pinned by test/cluster/status.test.ts: "a turn of Accepted shows as an Event".
 */
import type { Verdict } from '../compile/compiled.ts'
import { type KubeClient, successOf } from '../kube/client.ts'
import { listAt, textAt } from '../kube/fields.ts'
import type { Condition, ObjectStatus } from './conditions.ts'

export interface Turn {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Conditions whose status or reason differs from what was written before. */
export function turns(before: unknown, after: ObjectStatus): readonly Turn[] {
  return after.conditions.flatMap((condition) => {
    const was = listAt(before, 'conditions').find((old) => textAt(old, 'type') === condition.type)
    if (textAt(was, 'status') === condition.status && textAt(was, 'reason') === condition.reason)
      return []
    // What everybody does at the start is no news, and NotAccepted stands beside its reason.
    if (was === undefined && condition.status === 'True') return []
    if (condition.reason === 'Reconciling' || condition.reason === 'NotAccepted') return []
    return [turnOf(condition)]
  })
}

function turnOf(condition: Condition): Turn {
  return {
    type: condition.status === 'True' ? 'Normal' : 'Warning',
    reason: condition.reason,
    message: condition.message,
  }
}

export interface EventContext {
  readonly client: KubeClient
  readonly apiVersion: string
  /** Of this controller: `fairlead.dev/controller` and the replica. */
  readonly instance: string
  readonly now: () => Date
  readonly id: () => string
}

export async function writeEvent(
  context: EventContext,
  verdict: Verdict,
  turn: Turn,
): Promise<void> {
  const { kind, namespace, name, uid } = verdict
  const body = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { namespace, name: `${name.slice(0, 200)}.${context.id()}` },
    eventTime: context.now().toISOString().replace('Z', '000Z'),
    reportingController: 'fairlead.dev/controller',
    reportingInstance: context.instance.slice(0, 128),
    action: 'Reconcile',
    type: turn.type,
    reason: turn.reason,
    note: turn.message.slice(0, 1024),
    regarding: { apiVersion: context.apiVersion, kind, namespace, name, uid },
  }
  const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`
  successOf(await context.client.request({ method: 'POST', path, body }))
}
