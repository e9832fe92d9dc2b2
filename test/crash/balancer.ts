/**
 * A small TCP balancer: it sends each new connection to one of the instances that say they are
 * ready, in turn, as a Service with readiness probes does. It tries nothing twice: what an instance
 * loses, its client has lost.
 */
import { connect, createServer, type Socket } from 'node:net'
import { portOf } from '../../dataplane/upstream/fake/recorder.ts'
import { isReady } from './plane.ts'

export interface Instance {
  readonly http: number
  readonly admin: number
}

export interface Balancer {
  readonly port: number
  readonly ready: ReadonlySet<Instance>
  close(): void
}

const PROBE_EVERY_MS = 50

export async function startBalancer(instances: readonly Instance[]): Promise<Balancer> {
  const ready = new Set<Instance>()
  const sockets = new Set<Socket>()
  let turn = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const able = [...ready]
    const instance = able[turn++ % able.length]
    if (instance === undefined) {
      client.destroy()
      return
    }
    const target = connect({ host: '127.0.0.1', port: instance.http, allowHalfOpen: true })
    target.setNoDelay(true)
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => sockets.delete(one))
      one.pipe(other)
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const probe = async (): Promise<void> => {
    for (const instance of instances) {
      if (await isReady(instance.admin)) ready.add(instance)
      else ready.delete(instance)
    }
  }
  const probing = setInterval(() => void probe(), PROBE_EVERY_MS)
  return {
    port: portOf(server),
    ready,
    close() {
      clearInterval(probing)
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
