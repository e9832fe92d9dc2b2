/**
 * `fairlead controller`: runs until it is told to stop.
 * Proved by test/cluster/walk.test.ts.
 */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { pino } from 'pino'
import { fileReason } from '../file-reason.ts'
import { KubeconfigFailure } from '../kube/credentials.ts'
import { type ControllerOptions, startController } from '../main.ts'
import { address, isUnusable } from './addresses.ts'
import { stopSignal } from './signals.ts'
import { UsageFailure, type Values } from './values.ts'

export async function controller(values: Values): Promise<number> {
  const log = pino({ name: 'fairlead-controller' })
  const kubeconfig = values.get('kubeconfig')
  if (kubeconfig !== undefined) {
    await readFile(kubeconfig).catch((error: unknown) => {
      throw new UsageFailure(`--kubeconfig: cannot read ${kubeconfig}: ${fileReason(error)}`)
    })
  }
  const running = await startController(optionsOf(values, log)).catch((error: unknown) => {
    if (error instanceof KubeconfigFailure) throw new UsageFailure(error.message)
    if (isUnusable(error)) throw new UsageFailure(`cannot listen: ${error.message}`)
    throw error
  })
  log.info({ port: running.port, adminPort: running.adminPort }, 'controller started')
  const signal = await stopSignal()
  log.info({ signal }, 'stopping')
  await running.close()
  return 0
}

function optionsOf(values: Values, log: ControllerOptions['log']): ControllerOptions {
  const namespace = values.get('namespace') ?? ''
  return {
    kubeconfig: values.get('kubeconfig') ?? null,
    listen: address(values, 'listen'),
    admin: address(values, 'admin'),
    namespace,
    defaultGateway: values.get('default-gateway') ?? `${namespace}/default`,
    secrets: values.get('secrets') === 'cluster' ? 'cluster' : 'namespaced',
    secretsRole: values.get('secrets-role') ?? '',
    name: values.get('name') ?? hostname(),
    address: values.get('address') ?? null,
    tokenFile: values.get('token') ?? null,
    serverNames: (values.get('server-name') ?? '').split(',').map((name) => name.trim()),
    log,
  }
}
