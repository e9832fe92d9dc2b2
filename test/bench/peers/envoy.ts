/**
 * Envoy with one worker thread; where a workload asks for it, with its JWT filter (its cache on) and
 * its local rate limit.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../cluster/cluster.ts'
import { envoyProgram } from '../install.ts'
import { pinned, type Stage, serves } from '../run.ts'
import { type Backend, GATEWAY_CORE, type Peer } from './peer.ts'

export interface EnvoySettings {
  /** JSON of HTTP filters before the router. */
  readonly filters: readonly unknown[]
  /** Of the listener's transport: TLS. */
  readonly transportSocket: unknown
  readonly backendHttp: 1 | 2
  /** Answers 2xx when it is ready. */
  readonly readyPath: string
}

export const PLAIN: EnvoySettings = {
  filters: [],
  transportSocket: null,
  backendHttp: 1,
  readyPath: '/books',
}

const TYPE = 'type.googleapis.com/envoy.extensions'

export async function envoyPeer(
  stage: Stage,
  backend: Backend,
  settings: EnvoySettings = PLAIN,
): Promise<Peer> {
  const [port = 0] = await freePorts(1)
  const file = join(stage.folder, 'envoy.json')
  await writeFile(file, JSON.stringify(bootstrap(port, backend, settings)))
  const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'off']
  const pid = pinned(stage, GATEWAY_CORE, await envoyProgram(), args).pid ?? 0
  const url = `${settings.transportSocket === null ? 'http' : 'https'}://127.0.0.1:${port}`
  if (settings.transportSocket === null) await serves(`${url}${settings.readyPath}`)
  return { name: 'Envoy', url, pid }
}

function bootstrap(port: number, backend: Backend, settings: EnvoySettings): unknown {
  const filterChain = { filters: [connectionManager(settings)] }
  return {
    static_resources: {
      listeners: [
        {
          name: 'front',
          address: address(port),
          filter_chains: [
            settings.transportSocket === null
              ? filterChain
              : { ...filterChain, transport_socket: settings.transportSocket },
          ],
        },
      ],
      clusters: [cluster(backend, settings)],
    },
  }
}

function connectionManager(settings: EnvoySettings): unknown {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: {
      '@type': `${TYPE}.filters.http.router.v3.Router`,
      suppress_envoy_headers: true,
    },
  }
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'front',
      use_remote_address: true,
      normalize_path: true,
      route_config: {
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: { prefix: '/' }, route: { cluster: 'backend', timeout: '15s' } }],
          },
        ],
      },
      http_filters: [...settings.filters, router],
    },
  }
}

function cluster(backend: Backend, { backendHttp }: EnvoySettings): unknown {
  const two = {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  }
  return {
    name: 'backend',
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: 'backend',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: address(backend.port) } }] }],
    },
    ...(backendHttp === 2 ? two : {}),
  }
}

function address(port: number): unknown {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
