/**
 * The least that a proxy on node:http and undici can do: no table, no limits, no records. What
 * Fairlead adds on top of its runtime shows against it.
 *   node bare-node.ts PORT BACKEND_PORT
 */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { Pool } from 'undici'
import { freePorts } from '../../cluster/cluster.ts'
import { pinned, type Stage, serves } from '../run.ts'
import { type Backend, GATEWAY_CORE, type Peer } from './peer.ts'

export async function bareNodePeer(stage: Stage, backend: Backend): Promise<Peer> {
  const [port = 0] = await freePorts(1)
  const args = [join(import.meta.dirname, 'bare-node.ts'), String(port), String(backend.port)]
  const pid = pinned(stage, GATEWAY_CORE, process.execPath, args).pid ?? 0
  const url = `http://127.0.0.1:${port}`
  await serves(`${url}/books`)
  return { name: 'bare node:http + undici', url, pid }
}

function serve(port: number, backendPort: number): void {
  const pool = new Pool(`http://127.0.0.1:${backendPort}`, { connections: 128 })
  createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const body = method === 'GET' ? null : request
    pool
      .request({ path: url, method, headers: { host: headers.host ?? '' }, body })
      .then((answer) => {
        response.writeHead(answer.statusCode, answer.headers)
        pipeline(answer.body, response, () => undefined)
      })
      .catch(() => response.destroy())
  }).listen(port, '127.0.0.1')
}

const [, script, port, backendPort] = process.argv
if (script === import.meta.filename) serve(Number(port), Number(backendPort))
