/**
 * Who we are to the API server, so that what we tell people to grant names the right subject.
 * Pinned by test/cluster/access.test.ts: "Secrets of a closed namespace hurt only what refers there,
 * and the sentence opens it".
 */
import { type KubeClient, successOf } from './client.ts'
import { textAt } from './fields.ts'

export interface Account {
  /** As the API server spells it: `system:serviceaccount:NAMESPACE:NAME`, or a user's name. */
  readonly username: string
}

/** Every authenticated caller may ask this. */
export async function whoAmI(client: KubeClient): Promise<Account> {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const answer = successOf(await client.request({ method: 'POST', path, body }))
  return { username: textAt(answer, 'status', 'userInfo', 'username') ?? '' }
}

/** How `kubectl create rolebinding` names it. */
export function subjectFlag({ username }: Account): string {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? []
  return namespace === undefined || name === undefined
    ? `--user=${username}`
    : `--serviceaccount=${namespace}:${name}`
}
