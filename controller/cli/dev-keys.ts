/**
 * Keys to try with: `fairlead dev` makes one for every Consumer of the folder that has none, keeps it
 * in the state folder, and prints it. A cluster never does.
 * Pinned by dev-keys.test.ts: "a consumer without a key gets one, the same after a restart".
 */
import { createHash } from 'node:crypto'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kind, type Namespaced, type Resource, resourceId } from '../compile/snapshot.ts'
import { isRecord } from '../../crds/inspect.ts'
import { textAt } from '../kube/fields.ts'
import { ingest } from '../watch/ingest.ts'
import { keyResource, makeKey } from './key.ts'

export interface DevKeys {
  /** The ApiKeys to add for these objects. */
  resources(objectsOf: (kind: Kind) => Namespaced): readonly Resource[]
  /** Consumer (`namespace/name`) → key, of those that have been made. */
  readonly keys: ReadonlyMap<string, string>
}

const FILE = 'dev-keys.json'

export function createDevKeys(stateFolder: string): DevKeys {
  const path = join(stateFolder, FILE)
  const keys = readKeys(path)
  return {
    keys,
    resources(objectsOf) {
      const held = consumersWithKey(objectsOf('ApiKey'))
      const wanting = [...objectsOf('Consumer')].flatMap(([namespace, names]) =>
        [...names.keys()]
          .map((name) => ({ namespace, name }))
          .filter((one) => !held.has(`${namespace}/${one.name}`)),
      )
      const fresh = wanting.filter(({ namespace, name }) => !keys.has(`${namespace}/${name}`))
      for (const { namespace, name } of fresh) keys.set(`${namespace}/${name}`, makeKey().key)
      if (fresh.length > 0) writeKeys(path, keys)
      return wanting.map(({ namespace, name }) =>
        resourceOf(namespace, name, keys.get(`${namespace}/${name}`) ?? ''),
      )
    },
  }
}

const DEV_LABEL = 'fairlead.dev/made-by'

function consumersWithKey(apiKeys: Namespaced): ReadonlySet<string> {
  const held = new Set<string>()
  for (const [namespace, names] of apiKeys) {
    for (const key of names.values()) {
      if (key.labels[DEV_LABEL] !== undefined) continue
      const spec = key.content['spec']
      const inside = textAt(spec, 'consumerRef', 'namespace') ?? namespace
      held.add(`${inside}/${textAt(spec, 'consumerRef', 'name') ?? ''}`)
    }
  }
  return held
}

function resourceOf(namespace: string, consumer: string, key: string): Resource {
  const sha256 = createHash('sha256').update(key).digest('hex')
  const raw = keyResource(
    { namespace, consumer, name: `${consumer}-dev`, expiresAtMs: null },
    sha256,
  )
  const uid = createHash('sha256')
    .update(resourceId('ApiKey', namespace, `${consumer}-dev`))
    .digest('hex')
  const metadata = {
    namespace,
    name: `${consumer}-dev`,
    uid: uid.slice(0, 32),
    generation: 1,
    resourceVersion: sha256.slice(0, 32),
    labels: { [DEV_LABEL]: 'dev' },
  }
  return ingest('ApiKey', { ...raw, metadata })
}

function readKeys(path: string): Map<string, string> {
  try {
    const stored: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const entries = Object.entries(isRecord(stored) ? stored : {})
    return new Map(entries.flatMap(([name, key]) => (typeof key === 'string' ? [[name, key]] : [])))
  } catch {
    // None yet, or torn: keys to try with can always be made anew.
    return new Map()
  }
}

function writeKeys(path: string, keys: ReadonlyMap<string, string>): void {
  writeFileSync(path, JSON.stringify(Object.fromEntries(keys)), { mode: 0o600 })
  chmodSync(path, 0o600)
}
