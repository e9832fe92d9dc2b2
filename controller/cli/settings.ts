/**
 * Every flag of every command, and the variable that may stand for it, in one table: the parser, the
 * help and docs/cli.md all come from it.
 * Pinned by settings.test.ts: "docs/cli.md lists every flag and variable, and no other".
 */

export type SettingKind =
  | 'address' // HOST:PORT
  | 'addresses' // HOST:PORT, comma separated
  | 'duration' // 30s, 1m, 500ms
  | 'count' // a whole number from 1
  | 'size' // 512Mi, 2Gi
  | 'text'
  | 'path'
  | 'switch' // no value
  | 'choice'

export interface Setting {
  /** Without dashes; the variable is FAIRLEAD_ and this in upper case with underscores. */
  readonly name: string
  readonly kind: SettingKind
  readonly choices?: readonly string[]
  /** Null: none; the description says what happens then. */
  readonly fallback: string | null
  readonly description: string
}

const HTTP: Setting = {
  name: 'http',
  kind: 'address',
  fallback: '127.0.0.1:8080',
  description: 'where requests are served',
}
const HTTPS: readonly Setting[] = [
  {
    name: 'https',
    kind: 'address',
    fallback: null,
    description: 'where requests are served over TLS; by default nowhere',
  },
  {
    name: 'tls-min',
    kind: 'choice',
    choices: ['1.2', '1.3'],
    fallback: '1.2',
    description: 'the oldest version of TLS that clients may speak',
  },
  {
    name: 'tls-ciphers',
    kind: 'text',
    fallback: null,
    description: "cipher suites, as OpenSSL names them; by default Node's own list",
  },
]
const ADMIN: Setting = {
  name: 'admin',
  kind: 'address',
  fallback: '127.0.0.1:9901',
  description: 'the probe port: /livez, /readyz and /metrics',
}
const WORKERS: Setting = {
  name: 'workers',
  kind: 'count',
  fallback: null,
  description: 'threads that serve; by default one per core',
}
const GRACE: Setting = {
  name: 'grace',
  kind: 'duration',
  fallback: '30s',
  description: 'how long requests in flight may take to end after SIGTERM',
}
const ALL_INTERFACES: Readonly<Record<string, string>> = {
  http: '0.0.0.0:8080',
  admin: '0.0.0.0:9901',
}

function everywhere(setting: Setting): Setting {
  return { ...setting, fallback: ALL_INTERFACES[setting.name] ?? setting.fallback }
}

export const COMMANDS = {
  dev: {
    argument: 'DIR',
    description: 'serve a folder of YAML, and reload it on save',
    settings: [
      HTTP,
      ...HTTPS,
      ADMIN,
      {
        name: 'state',
        kind: 'path',
        fallback: null,
        description: 'folder for what must survive a restart; by default DIR/.fairlead',
      },
      WORKERS,
      {
        name: 'redis',
        kind: 'text',
        fallback: null,
        description: 'URL of a Redis for limits across replicas; not supported yet',
      },
      GRACE,
      {
        name: 'quiet',
        kind: 'switch',
        fallback: null,
        description: 'no overview and no access log: problems alone are told',
      },
    ],
  },
  controller: {
    argument: null,
    description: 'compile the resources of a cluster and push them to data planes',
    settings: [
      {
        name: 'kubeconfig',
        kind: 'path',
        fallback: null,
        description: "which cluster; by default the pod's own, else KUBECONFIG",
      },
      {
        name: 'listen',
        kind: 'address',
        fallback: '0.0.0.0:9443',
        description: 'where data planes connect',
      },
      everywhere(ADMIN),
      {
        name: 'namespace',
        kind: 'text',
        fallback: 'fairlead-system',
        description: 'namespace of the controller: its Lease and its certificate',
      },
      {
        name: 'default-gateway',
        kind: 'text',
        fallback: null,
        description: 'ApiGateway of routes that name none; by default NAMESPACE/default',
      },
      {
        name: 'secrets',
        kind: 'choice',
        choices: ['namespaced', 'cluster'],
        fallback: 'namespaced',
        description: 'whose Secrets are watched: of namespaces that refer to one, or all',
      },
      {
        name: 'secrets-role',
        kind: 'text',
        fallback: 'fairlead-secrets',
        description: 'ClusterRole that lets us read Secrets, named to people who have to bind it',
      },
      {
        name: 'name',
        kind: 'text',
        fallback: null,
        description: 'name of this replica in the Lease; by default the host name',
      },
      {
        name: 'address',
        kind: 'address',
        fallback: null,
        description: 'where other replicas reach this one; by default they do not',
      },
      {
        name: 'token',
        kind: 'path',
        fallback: null,
        description:
          'ServiceAccount token with the audience fairlead-wire, to report to the leader by',
      },
      {
        name: 'server-name',
        kind: 'text',
        fallback: 'fairlead-controller',
        description: 'DNS names in the certificate for data planes, comma separated',
      },
    ],
  },
  dataplane: {
    argument: null,
    description: 'serve what a controller pushes',
    settings: [
      {
        name: 'controller',
        kind: 'addresses',
        fallback: 'fairlead-controller:9443',
        description: 'where controllers listen',
      },
      {
        name: 'ca',
        kind: 'path',
        fallback: '/var/run/fairlead/ca/ca.crt',
        description: 'certificate authority of the controller',
      },
      {
        name: 'token',
        kind: 'path',
        fallback: '/var/run/fairlead/token/token',
        description: 'ServiceAccount token with the audience fairlead-wire',
      },
      everywhere(HTTP),
      ...HTTPS,
      everywhere(ADMIN),
      {
        name: 'state',
        kind: 'path',
        fallback: '/var/lib/fairlead',
        description: 'folder (0700) for the last good table',
      },
      {
        name: 'secrets-state',
        kind: 'path',
        fallback: null,
        description:
          'folder (0700) for the secrets of that table, best in memory; by default --state',
      },
      WORKERS,
      {
        name: 'memory',
        kind: 'size',
        fallback: null,
        description:
          'memory limit; near it requests are refused; by default the limit of the cgroup',
      },
      {
        name: 'name',
        kind: 'text',
        fallback: null,
        description: 'name of this data plane; by default the host name',
      },
      GRACE,
    ],
  },
  'key create': {
    argument: null,
    description: 'make an API key: prints it once, and the ApiKey resource to apply',
    settings: [
      {
        name: 'consumer',
        kind: 'text',
        fallback: null,
        description: 'name of the Consumer, or NAMESPACE/NAME; required',
      },
      {
        name: 'expires',
        kind: 'duration',
        fallback: null,
        description: 'how long it is valid, such as 720h; by default for ever',
      },
      {
        name: 'name',
        kind: 'text',
        fallback: null,
        description: 'metadata.name of the ApiKey; by default CONSUMER and 6 characters',
      },
    ],
  },
} as const satisfies Record<string, Command>

export interface Command {
  readonly argument: string | null
  readonly description: string
  readonly settings: readonly Setting[]
}
export type CommandName = keyof typeof COMMANDS

export function variableOf(setting: Setting): string {
  return `FAIRLEAD_${setting.name.toUpperCase().replaceAll('-', '_')}`
}
