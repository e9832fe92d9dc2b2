/** HAProxy with one thread, keeping connections on both sides. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../cluster/cluster.ts'
import { pinned, type Stage, serves } from '../run.ts'
import { type Backend, GATEWAY_CORE, type Peer } from './peer.ts'

export async function haproxyPeer(stage: Stage, backend: Backend): Promise<Peer> {
  const [port = 0] = await freePorts(1)
  const file = join(stage.folder, 'haproxy.cfg')
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  option forwardfor
  default_backend back
backend back
  server one 127.0.0.1:${backend.port} pool-max-conn 128
`,
  )
  const pid = pinned(stage, GATEWAY_CORE, 'haproxy', ['-db', '-f', file]).pid ?? 0
  const url = `http://127.0.0.1:${port}`
  await serves(`${url}/books`)
  return { name: 'HAProxy', url, pid }
}
