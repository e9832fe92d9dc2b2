/**
 * Tables for tests of the data plane, with digests as the controller would write them.
 */
import { createHash } from 'node:crypto'
import type { Match, ObjectKind, Rule, TableObject, ValueOf } from '#wire/table'
import { TAKES_ALL } from '../../controller/compile/closed-host.ts'
import { createAuthEnvironment } from '../../dataplane/phases/authenticate/environment.ts'
import { type Built, type BuildEnvironment, TableBuilder } from '../../dataplane/runtime/build.ts'
import { TableDirectory } from '../../dataplane/runtime/directory.ts'
import { createExpressions } from '../../dataplane/runtime/expression.ts'
import { createPreparer } from '../../dataplane/runtime/preparer.ts'
import type { PreparedRule } from '../../dataplane/runtime/runtime.ts'
import type { TableChange } from '../../dataplane/sync/port.ts'
import { fakeExchange } from './exchange.ts'

/** `as`: the pair of kind and value is one of the union, which the compiler cannot see. */
export function tableObject<K extends ObjectKind>(
  kind: K,
  key: string,
  value: ValueOf[K],
): TableObject {
  const sources = [{ kind: 'ApiRoute', name: key, uid: `uid-${key}`, generation: 1 }]
  const text = JSON.stringify([kind, key, sources, value])
  const digest = createHash('sha256').update(text).digest('hex')
  return { kind, key, sources, value, digest } as TableObject
}

/** A rule that is open, takes everything and answers 200, but for what the test says. */
export function tableRule(rule: Partial<Rule> = {}): Rule {
  return {
    route: 'shop/books',
    name: 'list',
    ...TAKES_ALL,
    action: { kind: 'respond', status: 200, headers: [], body: ['ok'] },
    ...rule,
  }
}

export function buildEnvironment(): BuildEnvironment {
  return {
    prepare: createPreparer(createExpressions()),
    directory: new TableDirectory(),
    auth: createAuthEnvironment(() => undefined),
  }
}

/** `hash` is of no meaning here. */
export function tableChange(
  from: TableChange['from'],
  puts: readonly TableObject[],
  drops: TableChange['drops'] = [],
): TableChange {
  return { from, puts, drops, hash: 'hash' }
}

/** Builds, commits and gives what runs. */
export function builtTable(objects: readonly TableObject[]): Built {
  const result = new TableBuilder(buildEnvironment()).build(tableChange('snapshot', objects))
  result.commit()
  return result
}

/** The rule that takes a request, or the cause for which there is none. */
export function ruleAt(
  { table }: Pick<Built, 'table'>,
  at: string,
  name = 'shop.example.com',
): PreparedRule | string {
  const { exchange } = fakeExchange({ path: at, host: name })
  const failure = table.matcher.match(exchange)
  return failure?.cause ?? exchange.rule ?? 'no rule'
}

/** `/a/b`, or `/a/**`. */
export function pathMatch(text: string): Match {
  const words = text.slice(1).split('/')
  const below = words.at(-1) === '**'
  const segments = (below ? words.slice(0, -1) : words).map((literal) => ({ literal }))
  const pattern = { kind: 'segments', segments, end: below ? 'below' : 'exact' } as const
  return { method: null, path: pattern, headers: [], queryParams: [], when: null }
}

export function hostObject(key: string, rules: readonly string[]): TableObject {
  const entries = rules.map((rule) => ({ rule, match: 0 }))
  return tableObject('host', key, { namespace: 'shop', entries })
}

export const GATEWAY = tableObject('gateway', 'infra/default', {
  trustedProxies: ['10.0.0.0/8'],
  egressAllow: [],
  dataPlanes: 2,
})
