/**
 * A data plane as `fairlead dataplane` runs it, supervisor included, whose workers misbehave when a
 * line on its input says so: `ID MISDEED`, or `ID hold MEGABYTES`.
 */
import { createInterface } from 'node:readline'
import { BroadcastChannel } from 'node:worker_threads'
import { pino } from 'pino'
import { UNRULY_CHANNEL } from '../../dataplane/fake/plane.ts'
import { UNRULY } from '../../dataplane/fake/unruly.ts'
import { startDataPlane } from '../../dataplane/main.ts'
import { supervise } from '../../dataplane/supervisor.ts'

const [, script = '', state = '', http = '0', admin = '0', memory = '0'] = process.argv
const WORKERS = 2
const BELOW = 'BELOW_SUPERVISOR'
const log = pino({ name: 'unruly' })

async function serve(): Promise<number> {
  const channel = new BroadcastChannel(UNRULY_CHANNEL)
  const lines = createInterface(process.stdin)
  lines.on('line', (line) => {
    const [worker, what, megabytes] = line.split(' ')
    channel.postMessage({ worker: Number(worker), what, megabytes: Number(megabytes) })
  })
  const plane = await startDataPlane({
    http: { host: '127.0.0.1', port: Number(http) },
    https: null,
    admin: { host: '127.0.0.1', port: Number(admin) },
    listeners: 'held',
    workers: WORKERS,
    state,
    sync: {
      controllers: ['https://127.0.0.1:1'],
      caFile: `${state}/token`,
      tokenFile: `${state}/token`,
      name: 'test',
      timings: { aloneAfterMs: 50, retryMsMin: 50, retryMsMax: 100 },
    },
    accessLog: 'stdout',
    memoryBytes: memory === '0' ? null : Number(memory),
    loopback: 'refuse',
    kill: () => process.kill(process.pid, 'SIGKILL'),
    worker: UNRULY,
    log,
  })
  process.once('SIGTERM', () => void plane.close(2_000))
  const code = await plane.exited
  lines.close()
  process.stdin.destroy()
  channel.close()
  return code
}

process.exitCode =
  process.env[BELOW] === 'yes'
    ? await serve()
    : await supervise({
        command: [script, state, http, admin, memory],
        env: { ...process.env, [BELOW]: 'yes' },
        workers: WORKERS,
        codeCache: `${state}/code`,
        restarted: (because) => log.error({ because }, 'started again'),
      })
