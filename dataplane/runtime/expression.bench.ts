/**
 * What one evaluation costs, beside the library's own evaluation of the same text:
 * `node dataplane/runtime/expression.bench.ts`. `auth.consumer == "…"` is to stay well under 0.1 µs.
 */
import { celEnv, parse, plan, type CelInput } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { createExpressions } from './expression.ts'
import { CALLER, scopeWith } from './fake/scope.ts'

const SOURCES = [
  'auth.consumer == "partners/acme"',
  'auth.claims.role == "admin"',
  'request.method in ["GET", "HEAD"] && "gold" in auth.groups',
  'has(auth.claims.org.id) || value(auth.claims.level, 0) > 2',
  'request.headers["x-tenant"] == auth.claims.tenant',
  'request.path.startsWith("/orders") ? 5 : 1',
  'request.path.matches("^/orders/[0-9]+$")',
  'inCidr(request.ip, "10.0.0.0/8")',
  'auth.groups.exists(g, g == "eu")',
  '[1, 2, 3, 4].map(n, n * 2).filter(n, n > 4)',
]

const scope = scopeWith({})
const { exchange } = scope
const bindings = {
  auth: new Map<string, CelInput>([
    ['consumer', 'partners/acme'],
    [
      'claims',
      new Map([
        ['role', 'admin'],
        ['tenant', 'blue'],
      ]),
    ],
    ['groups', [...CALLER.groups]],
  ]),
  request: new Map<string, CelInput>([
    ['method', exchange.method],
    ['path', exchange.path],
    ['headers', new Map([['x-tenant', 'blue']])],
  ]),
}

/** Nanoseconds of CPU for one round; the best of seven, because the machine is shared. */
function time(rounds: number, run: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 7; i++) {
    const before = process.cpuUsage()
    for (let j = 0; j < rounds; j++) run()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, ((user + system) * 1000) / rounds)
  }
  return best
}

function column(ns: number): string {
  return `${ns.toFixed(0).padStart(8)} ns`
}

const expressions = createExpressions()
const env = celEnv({ funcs: strings })
process.stdout.write('  closures      library   expression\n')
for (const source of SOURCES) {
  const prepared = expressions.prepare(source)
  if ('kind' in prepared) throw new Error(`${source}: ${prepared.because}`)
  const library = plan(env, parse(source))
  const ours = time(300_000, () => prepared.evaluate(scope))
  const theirs = time(5_000, () => library(bindings))
  process.stdout.write(`${column(ours)}${column(theirs)}   ${source}\n`)
}
