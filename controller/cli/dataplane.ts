/**
 * `fairlead dataplane`: a supervisor, and below it the process that serves. Both are this command;
 * a variable tells the second from the first.
 * Proved by test/cluster/walk.test.ts: "a data plane that stops ends well".
 */
import { mkdir } from 'node:fs/promises'
import { availableParallelism, hostname } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { address, https } from './addresses.ts'
import { killOurselves, stopSignal } from './signals.ts'
import { graceMsOf, memoryOf, UsageFailure, type Values } from './values.ts'

const BELOW_SUPERVISOR = 'SUPERVISED_BY_FAIRLEAD'

export async function dataplane(values: Values): Promise<number> {
  const workers = Number(values.get('workers') ?? availableParallelism())
  if (process.env[BELOW_SUPERVISOR] === 'yes') return serve(values, workers)
  const log = pino({ name: 'fairlead-supervisor' })
  const { supervise } = await import('../../dataplane/supervisor.ts')
  await makeOurs(values.get('state'))
  return supervise({
    command: [...process.execArgv, ...process.argv.slice(1)],
    env: { ...process.env, [BELOW_SUPERVISOR]: 'yes' },
    workers,
    codeCache: codeCacheOf(values.get('state')),
    restarted: (because) => log.error({ because }, 'the data plane ended and is started again'),
  })
}

async function serve(values: Values, workers: number): Promise<number> {
  const log = pino({ name: 'fairlead-dataplane' })
  const { AddressUnusable } = await import('../../dataplane/addresses.ts')
  const { startDataPlane } = await import('../../dataplane/main.ts')
  const secretsState = values.get('secrets-state')
  const plane = await startDataPlane({
    http: address(values, 'http'),
    https: https(values),
    admin: address(values, 'admin'),
    listeners: 'held',
    workers,
    state: values.get('state') ?? null,
    sync: {
      controllers: controllersOf(values),
      caFile: values.get('ca') ?? '',
      tokenFile: values.get('token') ?? '',
      name: values.get('name') ?? hostname(),
      ...(secretsState === undefined ? {} : { secretsState }),
    },
    accessLog: 'stdout',
    memoryBytes: memoryOf(values),
    loopback: 'refuse',
    kill: killOurselves,
    log,
  }).catch((error: unknown) => {
    if (error instanceof AddressUnusable || isStateRefused(error))
      throw new UsageFailure(error.message)
    throw error
  })
  void plane.ready.then(() => log.info({ http: plane.address }, 'ready'))
  const graceMs = graceMsOf(values)
  void stopSignal().then((signal) => {
    log.info({ signal }, 'draining')
    return plane.close(graceMs)
  })
  return plane.exited
}

/** Compiled code is kept in it before the process below looks at it: open to others it is refused. */
async function makeOurs(state: string | undefined): Promise<void> {
  if (state === undefined) return
  // Whatever is wrong with it, the process below says so in its own words.
  await mkdir(state, { recursive: true, mode: 0o700 }).catch(() => undefined)
}

function isStateRefused(error: unknown): error is Error {
  return error instanceof Error && error.name === 'StateFolderRefused'
}

function codeCacheOf(state: string | undefined): string | null {
  return state === undefined ? null : join(state, 'code')
}

function controllersOf(values: Values): readonly string[] {
  const addresses = (values.get('controller') ?? '').split(',')
  return addresses.map((one) => `https://${one.trim()}`)
}
