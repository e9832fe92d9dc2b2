/**
 * What a step makes and no data plane would accept: by steps that make it, and by resources that do.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objectId } from '#wire/table'
import { createEncoder } from '../push/encode.ts'
import { createOffers } from '../push/offer.ts'
import { DEFAULT_GATEWAY, DEPS, World, type Written } from '../../test/fake/world.ts'
import { compile } from './compile.ts'
import type { Compiled } from './compiled.ts'
import { FieldPath } from './problem.ts'
import { sendable } from './sendable.ts'
import type { CompiledRule, Steps } from './steps.ts'

const none = { value: null, problems: [] }
const NOTHING: Steps = {
  compileRule: () => ({ value: RULE, problems: [] }),
  compileAuthPart: () => ({
    value: {
      authenticate: null,
      authorize: new Map(),
      disabled: [],
      forward: null,
      deny: null,
      secrets: new Map(),
      usable: 'yes',
    },
    problems: [],
  }),
  compileLimitPart: () => ({
    value: { limits: new Map(), disabled: [], usable: 'yes' },
    problems: [],
  }),
  compileConsumer: () => none,
  compileApiKey: () => none,
  compileApiBackend: () => none,
}

function matchOf(method: string | null): CompiledRule['matches'][number] {
  return { method, path: { kind: 'any' }, headers: [], queryParams: [], when: null }
}

const RULE: CompiledRule = {
  matches: [matchOf('GET')],
  rewrite: null,
  requestHeaders: null,
  responseHeaders: null,
  totalTimeoutMs: 1_000,
  traffic: {},
  action: { kind: 'respond', status: 200, headers: [], body: null },
  backends: new Map(),
}

const AT = new FieldPath<never>('spec.rules[0]')
type RuleSpec = Parameters<Steps['compileRule']>[0]
type Within = Parameters<Steps['compileRule']>[2]
const SPEC: RuleSpec = { name: 'r', match: [{ path: '/' }] }
const WITHIN: Within = {
  namespace: 'shop',
  grants: { refusal: () => null },
  reader: new Proxy({} as Within['reader'], {}),
}

function ruleBy(value: CompiledRule) {
  const steps = sendable({ ...NOTHING, compileRule: () => ({ value, problems: [] }) })
  return steps.compileRule(SPEC, AT, WITHIN)
}

test('what can be sent is what the step made', () => {
  const { value, problems } = ruleBy(RULE)
  assert.equal(value, RULE)
  assert.deepEqual(problems, [])
})

test('a rule whose action cannot be sent rejects and keeps its matches', () => {
  const { value, problems } = ruleBy({ ...RULE, totalTimeoutMs: 0.5 })
  assert.deepEqual(value.matches, RULE.matches)
  assert.equal(problems[0]?.reason, 'Invalid')
})

test('a match that cannot be sent is missing, which closes the whole route', () => {
  const action = { ...RULE, matches: [matchOf('GET'), matchOf('get')] }
  const { value, problems } = ruleBy(action)
  assert.equal(value.action.kind, 'reject')
  assert.deepEqual(value.matches, [matchOf('GET')])
  assert.match(problems[0]?.sentence ?? '', /matches\[1\]\.method/)
})

test('a rule that becomes longer than a frame can hold rejects, and says so', () => {
  const body = Array.from({ length: 200 }, () => ({ expr: 'x'.repeat(4_000) }))
  const headers = Array.from({ length: 20 }, (_, i) => ({
    name: `x-${i}`,
    value: body,
    onFailure: 'remove' as const,
  }))
  const long = ruleBy({ ...RULE, action: { kind: 'respond', status: 200, headers, body: null } })
  assert.equal(long.value.action.kind, 'reject')
  assert.deepEqual(long.value.matches, RULE.matches)
  assert.match(long.problems[0]?.sentence ?? '', /^It becomes longer than 8 MiB/)
  const exact = { kind: 'exact', value: 'x'.repeat(64_000) } as const
  const queryParams = Array.from({ length: 16 }, () => ({ name: 'q', test: exact }))
  const matches = Array.from({ length: 16 }, () => ({ ...matchOf('GET'), queryParams }))
  assert.deepEqual(ruleBy({ ...RULE, matches }).value.matches, [], 'which closes the whole route')
})

test('a policy of which a part cannot be sent is unusable', () => {
  const deny = { unauthenticated: { detail: 'x'.repeat(20_000) }, forbidden: null }
  const made = NOTHING.compileAuthPart({}, new FieldPath('spec'), WITHIN)
  const steps = sendable({
    ...NOTHING,
    compileAuthPart: () => ({ ...made, value: { ...made.value, deny } }),
  })
  const { value, problems } = steps.compileAuthPart({}, new FieldPath('spec'), WITHIN)
  assert.equal(value.usable, 'no')
  assert.match(problems[0]?.sentence ?? '', /unauthenticated\.detail" is longer than/)
})

// ---- resources ------------------------------------------------------------------------------

const KEYS = { keys: { apiKey: { from: [{ header: { name: 'x-api-key' } }] } } }

/** One that works, with policies and keys, so that all kinds of objects are in its table. */
function shop(): World {
  const backends = [{ service: { name: 'books', port: 80 } }]
  return new World().apply(
    DEFAULT_GATEWAY,
    service({ clusterIP: '10.0.0.1' }),
    own('ApiRoute', 'books', { rules: [{ name: 'r', match: [{ path: '/' }], backends }] }),
    own('AuthPolicy', 'books', {
      targetRefs: [{ kind: 'ApiRoute', name: 'books' }],
      authenticate: KEYS,
    }),
    own('Consumer', 'acme', {}),
    own('ApiKey', 'acme', { consumerRef: { name: 'acme' }, sha256: 'a'.repeat(64) }),
  )
}

function own(kind: Written['kind'], name: string, spec: object): Written {
  return { kind, metadata: { name, namespace: 'shop' }, spec }
}

function service(spec: object): Written {
  const metadata = { name: 'books', namespace: 'shop' }
  return { kind: 'Service', metadata, spec: { ports: [{ port: 80 }], ...spec } }
}

function labelled(labels: { readonly [name: string]: string }): Written {
  return { kind: 'Consumer', metadata: { name: 'acme', namespace: 'shop', labels }, spec: {} }
}

function tableOf(compiled: Compiled) {
  const table = compiled.tables.get('fairlead-system/default')
  assert.ok(table !== undefined)
  return table
}

function accepted(compiled: Compiled): string {
  const offer = { table: tableOf(compiled), basis: {}, epoch: '0', trace: null }
  return createOffers(createEncoder()).accept(offer).kind
}

test('what cannot be sent harms nothing but its own targets', () => {
  const strange: readonly Written[] = [
    service({ clusterIP: 'a b' }),
    service({ clusterIP: '10.0.0.1\n' }),
    service({ clusterIP: 'fe80::1% a' }),
    labelled({ '': 'x' }),
    labelled({ a: 'x'.repeat(9_000) }),
    labelled({ ['a'.repeat(9_000)]: 'x' }),
  ]
  for (const one of strange) {
    const compiled = compile(shop().apply(one).snapshot(), DEPS)
    assert.equal(accepted(compiled), 'newTable', JSON.stringify(one).slice(0, 200))
  }
})

test('a Consumer that cannot be sent is nobody, and says why', () => {
  const compiled = compile(
    shop()
      .apply(labelled({ a: 'x'.repeat(9_000) }))
      .snapshot(),
    DEPS,
  )
  assert.equal(
    tableOf(compile(shop().snapshot(), DEPS)).objects.has(objectId('consumer', 'shop/acme')),
    true,
  )
  assert.equal(tableOf(compiled).objects.has(objectId('consumer', 'shop/acme')), false)
  const verdict = compiled.verdicts.get('Consumer shop/acme')
  assert.equal(verdict?.accepted.reason, 'Invalid')
  assert.match(verdict.problems[0]?.sentence ?? '', /labels\["a"\]" is longer than 8192 bytes/)
})
