/**
 * Policies without a table: a directory of Consumers and keys, and the objects that rules name.
 */
import { createHash, createHmac } from 'node:crypto'
import type { ApiKey, ApiKeyEntry, Consumer } from '#wire/auth'
import { type ObjectKind, objectId, type ValueOf } from '#wire/table'
import { TableDirectory } from '../../../runtime/directory.ts'
import { createExpressions } from '../../../runtime/expression.ts'
import type { PrepareEnvironment, TableReader } from '../../../runtime/prepare.ts'
import { createPreparer } from '../../../runtime/preparer.ts'
import { createAuthEnvironment, type JudgeEnvironment } from '../environment.ts'
import { NOW_S } from './issuer.ts'

export class FakeReader implements TableReader {
  readonly rejected: string[] = []
  readonly #objects = new Map<string, unknown>()

  put<K extends ObjectKind>(kind: K, key: string, value: ValueOf[K]): this {
    this.#objects.set(objectId(kind, key), value)
    return this
  }
  get<K extends ObjectKind>(kind: K, key: string): ValueOf[K] | null {
    return (this.#objects.get(objectId(kind, key)) as ValueOf[K] | undefined) ?? null
  }
  reject(kind: ObjectKind, key: string, reason: string): void {
    this.rejected.push(`${kind} ${key}: ${reason}`)
  }
}

export interface FakeEnvironment extends PrepareEnvironment {
  readonly directory: TableDirectory
  readonly asked: string[]
  readonly clock: { nowMs: number }
}

export function fakeEnvironment(): FakeEnvironment {
  const asked: string[] = []
  const clock = { nowMs: NOW_S * 1000 }
  const auth = createAuthEnvironment(
    (id) => void asked.push(id),
    () => clock.nowMs,
  )
  const prepare = createPreparer(createExpressions())
  return { prepare, directory: new TableDirectory(), auth, asked, clock }
}

export function judging(env: FakeEnvironment): JudgeEnvironment {
  return { ...env.auth, directory: env.directory, namespace: 'partners' }
}

export function consumer(name: string, parts: Partial<Consumer> = {}): Consumer {
  return {
    namespace: 'partners',
    name,
    displayName: name,
    labels: {},
    state: 'Active',
    groups: [],
    externalIds: {},
    identities: [],
    ...parts,
  }
}

export function addConsumer(env: FakeEnvironment, one: Consumer): Consumer {
  env.directory.setConsumer(`${one.namespace}/${one.name}`, one)
  return one
}

/** `text`: the key itself, which only its owner has. */
export function addKey(
  env: FakeEnvironment,
  text: string,
  owner: Consumer,
  parts: Partial<ApiKey> = {},
): void {
  const sha256 = createHash('sha256').update(text).digest('hex')
  const key: ApiKey = {
    consumer: `${owner.namespace}/${owner.name}`,
    sha256,
    format: 'fairlead',
    expiresAtMs: null,
    ...parts,
  }
  env.directory.setApiKey(`${owner.namespace}/${key.sha256.slice(0, 12)}`, key)
}

export function peppered(text: string, pepper: string): string {
  return createHmac('sha256', pepper).update(text).digest('hex')
}

export function apiKeyEntry(parts: Partial<ApiKeyEntry> = {}): ApiKeyEntry {
  return {
    kind: 'apiKey',
    name: 'partners',
    from: [{ kind: 'header', name: 'x-api-key', scheme: null }],
    namespaces: ['partners'],
    selector: { matchLabels: [], matchExpressions: [] },
    formats: ['fairlead'],
    pepper: null,
    ...parts,
  }
}
