/**
 * The least front that there can be before one of the two clients for plain HTTP/1.1: what they take
 * of a request shows in the difference, and nothing else does.
 *   node bare-lane.ts PORT BACKEND_PORT own|undici
 */
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { monotonicMs } from '../../../dataplane/clock.ts'
import type { Head, MessageReader } from '../../../dataplane/http1/message.ts'
import { Parser } from '../../../dataplane/http1/parse.ts'
import { fieldLines, LINE_END, statusLine } from '../../../dataplane/http1/write.ts'
import { createUpstreamMemory, UpstreamCounts } from '../../../dataplane/upstream/counts.ts'
import { UpstreamMarks } from '../../../dataplane/upstream/marks.ts'
import { Deadlines } from '../../../dataplane/upstream/deadlines.ts'
import { DEFAULT_DELIVERY } from '../../../dataplane/upstream/delivery.ts'
import { Library } from '../../../dataplane/runtime/library.ts'
import { UndiciLane } from '../../../dataplane/upstream/pool.ts'
import { UndiciUpstream } from '../../../dataplane/upstream/undici.ts'
import type { UpstreamHead } from '../../../dataplane/upstream/upstream.ts'
import { freePorts } from '../../cluster/cluster.ts'
import { pinned, type Stage, serves } from '../run.ts'
import { type Backend, GATEWAY_CORE, type Peer } from './peer.ts'

export type Http1 = 'own' | 'undici'

export async function bareLanePeer(stage: Stage, backend: Backend, http1: Http1): Promise<Peer> {
  const [port = 0] = await freePorts(1)
  const script = join(import.meta.dirname, 'bare-lane.ts')
  const args = [script, String(port), String(backend.port), http1]
  const pid = pinned(stage, GATEWAY_CORE, process.execPath, args).pid ?? 0
  const url = `http://127.0.0.1:${port}`
  await serves(`${url}/books`)
  return { name: http1 === 'own' ? 'own lane' : 'undici', url, pid }
}

class Client implements MessageReader {
  readonly #socket: Socket
  readonly #upstream: UndiciUpstream
  readonly #parser = new Parser('request', this)

  constructor(socket: Socket, upstream: UndiciUpstream) {
    this.#socket = socket
    this.#upstream = upstream
    this.#parser.nextRequest()
    socket.on('data', (piece: Buffer) => this.#parser.read(piece, 0))
    socket.on('error', () => socket.destroy())
  }

  head({ method, target, fields }: Head): void {
    const headers = fields.slice(2)
    const deadlineMs = monotonicMs() + 30_000
    const rest = { headers, body: null, deadlineMs, delivery: DEFAULT_DELIVERY }
    this.#upstream.send(
      { backend: 'b', method, target, host: 'bench', ...rest },
      {
        head: (head) => this.#answer(head),
        failed: () => this.#socket.destroy(),
      },
    )
  }

  #answer({ status, headers, stream }: UpstreamHead): void {
    let text = statusLine(status) + fieldLines(headers) + LINE_END
    stream.start({
      data: (piece) => {
        text += piece.toString('latin1')
        return 'more'
      },
      end: () => {
        this.#socket.write(text, 'latin1')
        this.#parser.nextRequest()
      },
      fail: () => this.#socket.destroy(),
    })
  }

  interim(): void {}
  data(): 'more' {
    return 'more'
  }
  end(): void {}
}

async function serve(port: number, backendPort: number, http1: Http1): Promise<void> {
  const deadlines = new Deadlines(monotonicMs)
  const memory = createUpstreamMemory(1)
  const undici = new Library(() => Promise.resolve(UndiciLane))
  await undici.load()
  const upstream = new UndiciUpstream({
    now: monotonicMs,
    random: Math.random,
    deadlines,
    counts: new UpstreamCounts(memory, 0),
    marks: new UpstreamMarks(memory),
    happened: () => undefined,
    http1,
    undici,
  })
  upstream.backends(new Map([['b', { protocol: 'http', clusterAddress: null }]]))
  const endpoints = [{ address: '127.0.0.1', port: backendPort, zone: null }]
  upstream.endpoints({ backend: 'b', version: 1, endpoints, place: 0, places: [1] })
  createServer({ noDelay: true }, (socket) => new Client(socket, upstream)).listen(
    port,
    '127.0.0.1',
  )
}

const [, script, port, backendPort, http1] = process.argv
if (script === import.meta.filename) {
  await serve(Number(port), Number(backendPort), http1 === 'own' ? 'own' : 'undici')
}
