/**
 * Makes API keys: the key itself, shown once, and the ApiKey resource that may live in Git.
 * Pinned by key.test.ts: "a made key passes its own check and the resource holds only its hash".
 */
import { createHash, randomBytes } from 'node:crypto'
import { stringify } from 'yaml'
import { KEY_SECRET_BYTES, keyOf } from '#wire/key-format'

export interface MadeKey {
  /** Known to nobody else from now on. */
  readonly key: string
  readonly sha256: string
}

export function makeKey(): MadeKey {
  const key = keyOf(randomBytes(KEY_SECRET_BYTES).toString('base64url'))
  return { key, sha256: createHash('sha256').update(key).digest('hex') }
}

export interface KeyOwner {
  readonly namespace: string
  readonly consumer: string
  /** Of the ApiKey; null: the consumer's with six characters. */
  readonly name: string | null
  /** Milliseconds since 1970, or null. */
  readonly expiresAtMs: number | null
}

export function keyResource(owner: KeyOwner, sha256: string): Readonly<Record<string, unknown>> {
  const { namespace, consumer, expiresAtMs } = owner
  const name = owner.name ?? `${consumer}-${sha256.slice(0, 6)}`
  const expiresAt =
    expiresAtMs === null ? null : `${new Date(expiresAtMs).toISOString().slice(0, 19)}Z`
  return {
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiKey',
    metadata: { name, namespace },
    spec: { consumerRef: { name: consumer }, sha256, ...(expiresAt === null ? {} : { expiresAt }) },
  }
}

export function keyYaml(owner: KeyOwner, sha256: string): string {
  return stringify(keyResource(owner, sha256))
}
