/**
 * Where the wire's certificates are kept: in a Secret of the controller's namespace, so that all
 * replicas present the same authority, with the authority alone in a ConfigMap that data planes
 * mount; or in two files of a state folder.
 * Pinned by certificate-store.test.ts: "a second start finds the same authority", and by
 * test/cluster/walk.test.ts.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KubeClient, successOf } from '../kube/client.ts'
import { at, listAt, textAt } from '../kube/fields.ts'
import { writeWhole } from '../state-file.ts'
import {
  type Certificates,
  createCertificates,
  type PemPair,
  renew,
  trustOf,
} from './certificate.ts'

export const WIRE_SECRET = 'fairlead-wire'
export const WIRE_TRUST = 'fairlead-wire-ca'

/** Reads what is kept, renews what is due, keeps that, and says what counts now. */
export interface CertificateStore {
  current(): Promise<Certificates>
}

// ---- in a cluster ---------------------------------------------------------------------------

export interface ClusterStoreOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** DNS names and addresses under which data planes connect. */
  readonly names: readonly string[]
  readonly nowMs: () => number
}

export function clusterCertificates(options: ClusterStoreOptions): CertificateStore {
  return {
    async current() {
      const { names, nowMs } = options
      const kept = await readSecret(options)
      const due =
        kept.certificates === null
          ? await createCertificates(names, nowMs())
          : await renew(kept.certificates, names, nowMs())
      const certificates = kept.certificates === due ? due : await writeSecret(options, due, kept)
      await writeTrust(options, trustOf(certificates))
      return certificates
    },
  }
}

interface Kept {
  /** Null: there are none, or none that can be read. */
  readonly certificates: Certificates | null
  /** Null: there is no Secret. The chart makes an empty one. */
  readonly resourceVersion: string | null
}

function secretsPath({ namespace }: ClusterStoreOptions): string {
  return `/api/v1/namespaces/${namespace}/secrets`
}

async function readSecret(options: ClusterStoreOptions): Promise<Kept> {
  const path = `${secretsPath(options)}/${WIRE_SECRET}`
  const answer = await options.client.request({ method: 'GET', path })
  if (answer.status === 404) return { certificates: null, resourceVersion: null }
  const secret = successOf(answer)
  const text = textAt(secret, 'data', 'certificates.json') ?? ''
  const certificates = parse(Buffer.from(text, 'base64').toString('utf8'))
  return { certificates, resourceVersion: textAt(secret, 'metadata', 'resourceVersion') ?? '' }
}

/** Of two replicas that start at once, one is refused and takes what the other has kept. */
async function writeSecret(
  options: ClusterStoreOptions,
  certificates: Certificates,
  { resourceVersion }: Kept,
): Promise<Certificates> {
  const data = { 'certificates.json': Buffer.from(JSON.stringify(certificates)).toString('base64') }
  const path = secretsPath(options)
  const answer = await options.client.request(
    resourceVersion === null
      ? { method: 'POST', path, body: newSecret(options, data) }
      : {
          method: 'PATCH',
          path: `${path}/${WIRE_SECRET}`,
          contentType: 'application/merge-patch+json',
          body: { metadata: { resourceVersion }, data },
        },
  )
  if (answer.status === 409) {
    const theirs = await readSecret(options)
    if (theirs.certificates !== null) return theirs.certificates
  }
  successOf(answer)
  return certificates
}

function newSecret({ namespace }: ClusterStoreOptions, data: object): object {
  const metadata = { name: WIRE_SECRET, namespace }
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'fairlead.dev/wire', data }
}

async function writeTrust(options: ClusterStoreOptions, trust: string): Promise<void> {
  const path = `/api/v1/namespaces/${options.namespace}/configmaps/${WIRE_TRUST}`
  const before = await options.client.request({ method: 'GET', path })
  if (before.status === 200 && textAt(before.body, 'data', 'ca.crt') === trust) return
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: WIRE_TRUST, namespace: options.namespace },
    data: { 'ca.crt': trust },
  }
  const query = { fieldManager: 'fairlead', force: 'true' }
  const contentType = 'application/apply-patch+yaml'
  successOf(await options.client.request({ method: 'PATCH', path, query, contentType, body }))
}

// ---- in a state folder ----------------------------------------------------------------------

const KEPT_FILE = 'wire-certificates.json'

export function folderCertificates(
  folder: string,
  names: readonly string[],
  nowMs: () => number,
): CertificateStore {
  return {
    async current() {
      const path = join(folder, KEPT_FILE)
      const text = await readFile(path, 'utf8').catch(() => '')
      const kept = parse(text)
      const due =
        kept === null ? await createCertificates(names, nowMs()) : await renew(kept, names, nowMs())
      if (due !== kept) await writeWhole(path, JSON.stringify(due))
      return due
    },
  }
}

/** Null for what was torn or is of another make: certificates can always be made anew. */
function parse(text: string): Certificates | null {
  try {
    const value: unknown = JSON.parse(text)
    const server = pairOf(at(value, 'server'))
    const authorities = listAt(value, 'authorities').map(pairOf)
    const whole = authorities.filter((pair) => pair !== null)
    if (server === null || whole.length === 0 || whole.length !== authorities.length) return null
    return { server, authorities: whole }
  } catch {
    return null
  }
}

function pairOf(value: unknown): PemPair | null {
  const cert = textAt(value, 'cert')
  const key = textAt(value, 'key')
  return cert === null || key === null ? null : { cert, key }
}
