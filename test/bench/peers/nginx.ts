/**
 * nginx: the backend of every measurement, and the peer that all others are compared with.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../cluster/cluster.ts'
import { pinned, type Stage, serves } from '../run.ts'
import { type Backend, GATEWAY_CORE, LOAD_CORE, type Peer } from './peer.ts'

const CONF = `daemon off; master_process off; worker_processes 1; pid FOLDER/pid; error_log FOLDER/error.log;
events { worker_connections 16384; }
http { access_log off; client_body_temp_path FOLDER/b; proxy_temp_path FOLDER/p; fastcgi_temp_path FOLDER/f;
uwsgi_temp_path FOLDER/u; scgi_temp_path FOLDER/s; keepalive_requests 1000000000; client_max_body_size 0; HTTP }
`

/** Answers a small JSON, `/large` 1 MiB, `/take` reads what it is sent. */
export async function startBackend(stage: Stage, json: string): Promise<Backend> {
  const [port = 0, discard = 0] = await freePorts(2)
  const large = join(stage.folder, 'large')
  await writeFile(large, Buffer.alloc(1024 * 1024, 'x'))
  await startNginx(
    stage,
    'backend',
    LOAD_CORE,
    `server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '${json}'; }
location /large { sendfile on; alias ${large}; }
location /take { proxy_pass http://127.0.0.1:${discard}; client_body_buffer_size 2m; proxy_set_body ""; proxy_http_version 1.1; proxy_set_header Connection ""; } }
server { listen 127.0.0.1:${discard}; location / { return 200 'ok'; } }`,
  )
  await serves(`http://127.0.0.1:${port}/books`)
  return { port }
}

/** As its documentation advises for a proxy that keeps connections. */
export async function nginxPeer(stage: Stage, backend: Backend): Promise<Peer> {
  const [port = 0] = await freePorts(1)
  const pid = await startNginx(
    stage,
    'nginx',
    GATEWAY_CORE,
    `upstream backend { server 127.0.0.1:${backend.port}; keepalive 128; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://backend; proxy_http_version 1.1;
proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } }`,
  )
  const url = `http://127.0.0.1:${port}`
  await serves(`${url}/books`)
  return { name: 'nginx', url, pid }
}

async function startNginx(
  stage: Stage,
  name: string,
  core: number,
  servers: string,
): Promise<number> {
  const folder = join(stage.folder, name)
  await mkdir(folder)
  const file = join(folder, 'nginx.conf')
  await writeFile(
    file,
    CONF.replaceAll('FOLDER', folder).replace('HTTP', () => servers),
  )
  return pinned(stage, core, 'nginx', ['-p', folder, '-c', file]).pid ?? 0
}
