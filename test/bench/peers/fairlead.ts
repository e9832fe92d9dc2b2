/**
 * Fairlead from a folder, one worker: the process holds the controller and the data plane, so its
 * figures hold both.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fairlead } from '../../fake/fairlead.ts'
import { run, type Stage } from '../run.ts'
import { type Backend, GATEWAY_CORE, type Peer } from './peer.ts'

export interface FairleadSettings {
  readonly name: string
  /** YAML: a file of the folder each, beside the Service of the backend. */
  readonly files: Readonly<Record<string, string>>
  readonly flags: readonly string[]
  /** Of the CPUs that it may use, as taskset writes them. */
  readonly cores: string
  /** Answers 2xx when the table runs. */
  readonly ready: { readonly path: string; readonly headers: Readonly<Record<string, string>> }
}

export const PLAIN: FairleadSettings = {
  name: 'Fairlead',
  files: { 'route.yaml': routeText('books', '/**', '') },
  flags: ['--workers', '1'],
  cores: String(GATEWAY_CORE),
  ready: { path: '/books', headers: {} },
}

/** A public route to the backend; `more` is YAML of the rule. */
export function routeText(name: string, path: string, more: string): string {
  return `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: ${name} }
spec:
  rules:
  - name: all
    public: true
    match: [{ path: ${path} }]
    backends: [{ service: { name: books, port: 80 } }]
${more}`
}

export async function fairleadPeer(
  stage: Stage,
  backend: Backend,
  settings: FairleadSettings = PLAIN,
): Promise<Peer> {
  const folder = join(stage.folder, settings.name)
  await mkdir(folder)
  await writeFile(join(folder, 'service.yaml'), serviceText(backend.port))
  for (const [name, text] of Object.entries(settings.files)) {
    await writeFile(join(folder, name), text)
  }
  const gateway = fairlead(
    [
      'dev',
      folder,
      '--http',
      '127.0.0.1:0',
      '--admin',
      '127.0.0.1:0',
      '--quiet',
      ...settings.flags,
    ],
    {},
    ['taskset', '-c', settings.cores],
  )
  stage.after(() => gateway.stop())
  const pid = gateway.child.pid ?? 0
  const url = await urlOf(pid, settings).catch((error: unknown) => {
    throw new Error(`${String(error)}; it printed: ${gateway.output()}`)
  })
  return { name: settings.name, url, pid }
}

/** --quiet prints nothing: the port is found by asking the kernel who listens. */
async function urlOf(pid: number, { ready }: FairleadSettings): Promise<string> {
  const limit = performance.now() + 120_000
  while (performance.now() < limit) {
    const listening = await run('ss', ['-ltnpH']).catch(() => '')
    const ports = [...listening.matchAll(/127\.0\.0\.1:(\d+) .*pid=(\d+),/g)]
      .filter((match) => Number(match[2]) === pid)
      .map((match) => Number(match[1]))
    for (const port of ports) {
      const url = `http://127.0.0.1:${port}`
      const answer = await fetch(`${url}${ready.path}`, { headers: ready.headers }).catch(
        () => null,
      )
      const text = (await answer?.text()) ?? ''
      if (answer?.status === 200 && text.includes('xxx')) return url
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('fairlead dev does not serve')
}

function serviceText(port: number): string {
  return `apiVersion: v1
kind: Service
metadata: { name: books }
spec: { ports: [{ port: 80, targetPort: ${port} }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: books-1, labels: { kubernetes.io/service-name: books } }
addressType: IPv4
ports: [{ name: "", port: ${port}, protocol: TCP }]
endpoints: [{ addresses: [127.0.0.1], conditions: { ready: true } }]
`
}
