/**
 * Controllers and data planes inside the test's own process, where a test looks into them: the same
 * composition root as the program's, and for data planes the real sync over a plain map of objects.
 */
import { type Controller, startController } from '../../controller/main.ts'
import type { Logger } from '../../controller/log.ts'
import type { Member } from '../../controller/push/tally.ts'
import { startSync, type Sync } from '../../dataplane/sync/sync.ts'
import { listLog, type LogLine, PlainWorkers } from '../wire/world.ts'
import { CONTROLLER, type Stage, SYSTEM } from './stage.ts'
import { until } from './until.ts'

export type { Member }

export interface ControllerHere extends Controller {
  readonly lines: readonly LogLine[]
  /** Closed once, whoever asks first. */
  close(): Promise<void>
}

export interface HereTerms {
  readonly name?: string
  readonly kubeconfig?: string
  readonly secrets?: 'namespaced' | 'cluster'
  /** Known beforehand, it is told to other replicas. */
  readonly port?: number
  readonly tokenFile?: string
}

export async function startControllerHere(
  stage: Stage,
  terms: HereTerms = {},
): Promise<ControllerHere> {
  const log = listLog()
  const controller = await startController({
    kubeconfig: terms.kubeconfig ?? stage.kubeconfig,
    listen: { host: '127.0.0.1', port: terms.port ?? 0 },
    admin: { host: '127.0.0.1', port: 0 },
    namespace: SYSTEM,
    defaultGateway: `${SYSTEM}/default`,
    secrets: terms.secrets ?? 'namespaced',
    secretsRole: 'fairlead-secrets',
    name: terms.name ?? CONTROLLER,
    address: terms.port === undefined ? null : `127.0.0.1:${terms.port}`,
    tokenFile: terms.tokenFile ?? null,
    serverNames: ['127.0.0.1'],
    log,
  })
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= controller.close()
    return closing
  }
  stage.after(close)
  return { ...controller, lines: log.lines, close }
}

export async function untilSynced(controller: Controller): Promise<void> {
  await until('the controller has read everything', 30_000, async () => {
    const answer = await fetch(`http://127.0.0.1:${controller.adminPort}/readyz`)
    await answer.arrayBuffer()
    return answer.status === 200 ? 'yes' : null
  })
}

export interface PlaneHere {
  readonly workers: PlainWorkers
  readonly sync: Sync
  readonly lines: readonly LogLine[]
  close(): Promise<void>
}

export interface PlaneTerms {
  readonly pod: string
  readonly ports: readonly number[]
  readonly state?: string
  readonly workers?: PlainWorkers
}

/** Ready soon after a controller offers something; not waited for. */
export async function startPlaneHere(stage: Stage, terms: PlaneTerms): Promise<PlaneHere> {
  const log: Logger & { readonly lines: LogLine[] } = listLog()
  const workers = terms.workers ?? new PlainWorkers()
  const sync = await startSync({
    controllers: terms.ports.map((port) => `https://127.0.0.1:${port}`),
    caFile: await stage.caFile(),
    tokenFile: await stage.tokenFile(terms.pod),
    name: terms.pod,
    state: terms.state ?? null,
    workers,
    log,
  })
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= sync.close()
    return closing
  }
  stage.after(close)
  return { workers, sync, lines: log.lines, close }
}
