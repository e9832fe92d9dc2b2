/**
 * Memory: at rest, for each further worker with a large table, and for an idle connection.
 */
import { connect, type Socket } from 'node:net'
import { residentMib, residentKib, round, table } from './figures.ts'
import { fairleadPeer, PLAIN, routeText } from './peers/fairlead.ts'
import { startBackend } from './peers/nginx.ts'
import { SMALL_JSON } from './proxy.ts'
import { onStage } from './run.ts'

const IDLE = 5_000
const GOAL_IDLE_KIB = 12
const GOAL_REST_MIB = 120

export function memory(): Promise<readonly string[]> {
  return onStage(async (stage) => {
    const backend = await startBackend(stage, SMALL_JSON)
    const gateway = await fairleadPeer(stage, backend, {
      ...PLAIN,
      files: { 'a.yaml': routeText('books', '/**', '') },
    })
    const rest = residentMib(gateway.pid)
    const sockets = await idle(new URL(gateway.url), 500) // what grows only once
    const before = residentKib(gateway.pid)
    sockets.push(...(await idle(new URL(gateway.url), IDLE)))
    const each = (residentKib(gateway.pid) - before) / IDLE
    for (const socket of sockets) socket.destroy()
    return [
      ...table(
        ['what', 'figure', 'goal'],
        [
          ['controller and data plane with one worker, at rest, MiB', rest, GOAL_REST_MIB],
          [`an idle connection (of ${IDLE}), KiB`, round(each), GOAL_IDLE_KIB],
        ],
      ),
      '',
      `Verdict: idle connections ${each <= GOAL_IDLE_KIB ? 'within' : 'beyond'} the goal; the first figure holds a controller too.`,
    ]
  })
}

/** Connections that have each had one answer. */
async function idle({ hostname, port }: URL, count: number): Promise<Socket[]> {
  const open = (i: number): Promise<Socket> =>
    new Promise((resolve, reject) => {
      // From many addresses: the connections of one are bounded.
      const socket = connect({ port: Number(port), host: hostname, localAddress: `127.0.1.${i}` })
      socket.once('error', reject)
      socket.once('data', () => resolve(socket))
      socket.write('GET /books HTTP/1.1\r\nhost: bench\r\n\r\n')
    })
  const sockets: Socket[] = []
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, (_, i) => open(i + 1)))))
  }
  return sockets
}
