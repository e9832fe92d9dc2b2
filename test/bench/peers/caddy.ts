/** Caddy on one core, without its admin endpoint. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../cluster/cluster.ts'
import { pinned, type Stage, serves } from '../run.ts'
import { type Backend, GATEWAY_CORE, type Peer } from './peer.ts'

export async function caddyPeer(stage: Stage, backend: Backend): Promise<Peer> {
  const [port = 0] = await freePorts(1)
  const file = join(stage.folder, 'Caddyfile')
  await writeFile(
    file,
    `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${backend.port} {
    transport http {
      keepalive_idle_conns_per_host 128
    }
  }
}
`,
  )
  const args = [`XDG_DATA_HOME=${stage.folder}`, `XDG_CONFIG_HOME=${stage.folder}`, 'caddy', 'run']
  const pid = pinned(stage, GATEWAY_CORE, 'env', [...args, '--config', file]).pid ?? 0
  const url = `http://127.0.0.1:${port}`
  await serves(`${url}/books`)
  return { name: 'Caddy', url, pid }
}
