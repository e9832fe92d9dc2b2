/**
 * One bad object harms itself only: 300 generated bad objects of each kind beside 50 good routes
 * under load, with a restart in between, and healing.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { request } from 'undici'
import { stringify } from 'yaml'
import { keyOf } from '../../dataplane/wire/key-format.ts'
import type { CrdKind } from '../../crds/kinds.ts'
import { BAD_OBJECTS } from '../bad-objects/all.ts'
import {
  type FolderGateway,
  gatewayPlace,
  startFolderGateway,
  until,
} from '../fake/folder-gateway.ts'

const EACH = 300
const GOOD = 50
const KINDS = [
  'ApiRoute',
  'AuthPolicy',
  'RateLimitPolicy',
  'ApiGateway',
  'Consumer',
  'ApiKey',
] as const
const OWN = 'fairlead.dev/v1alpha1'
const KEY = keyOf('p'.repeat(43))

type Plain = Readonly<Record<string, unknown>>

function object(kind: string, name: string, namespace: string, spec: unknown): Plain {
  return { apiVersion: OWN, kind, metadata: { name, namespace }, spec }
}

/** Half of them public, half behind a key of their namespace's policy. */
function goodObjects(): readonly Plain[] {
  const routes = Array.from({ length: GOOD }, (_, i) =>
    object('ApiRoute', `good-${i}`, 'good', {
      hosts: [`good-${i}.example.com`],
      rules: [
        {
          name: 'only',
          ...(i % 2 === 0 ? { public: true } : {}),
          match: [{ path: '/' }],
          respond: { status: 200, body: `good-${i}` },
        },
      ],
    }),
  )
  const sha256 = createHash('sha256').update(KEY).digest('hex')
  const protectedRoutes = Array.from({ length: GOOD / 2 }, (_, i) => ({
    kind: 'ApiRoute',
    name: `good-${2 * i + 1}`,
  }))
  const chunks = [protectedRoutes.slice(0, 13), protectedRoutes.slice(13)]
  const policies = chunks.map((targetRefs, i) =>
    object('AuthPolicy', `keys-${i}`, 'good', {
      targetRefs,
      authenticate: { keys: { apiKey: { from: [{ header: { name: 'x-api-key' } }] } } },
    }),
  )
  return [
    object('ApiGateway', 'default', 'default', {
      dataPlanes: { serviceAccount: 'fairlead', service: 'fairlead' },
    }),
    object('Consumer', 'acme', 'good', { displayName: 'Acme', state: 'Active' }),
    object('ApiKey', 'acme', 'good', { consumerRef: { name: 'acme' }, sha256 }),
    ...policies,
    ...routes,
  ]
}

/** Each bad object of the table under many names, and others that are bad in ways of their own. */
function badObjects(kind: CrdKind): readonly Plain[] {
  const table = BAD_OBJECTS.filter((bad) => bad.kind === kind)
  return Array.from({ length: EACH }, (_, i) => {
    const base = table[i % table.length]?.object ?? {}
    return { ...base, metadata: { name: nameOf(kind, i), namespace: 'bad' } }
  })
}

function nameOf(kind: string, i: number): string {
  return `bad-${kind.toLowerCase()}-${i}`
}

/** The least that each kind needs: what its author mends it to. */
function mended(kind: CrdKind, i: number): Plain {
  const targetRefs = [{ kind: 'ApiRoute', name: nameOf('ApiRoute', i) }]
  const rule = { name: 'only', public: true, match: [{ path: '/' }], respond: { status: 200 } }
  const specs: Readonly<Partial<Record<CrdKind, unknown>>> = {
    ApiRoute: { hosts: [`bad-${i}.example.com`], rules: [rule] },
    AuthPolicy: { targetRefs, authenticate: { anyone: { anonymous: {} } } },
    RateLimitPolicy: { targetRefs, limits: { all: { rate: '1000/1s' } } },
    ApiGateway: { dataPlanes: { serviceAccount: `bad-${i}`, service: 'bad' } },
    Consumer: { displayName: 'Mended', state: 'Active' },
    ApiBackend: { service: { name: 'books', port: 80 } },
    ApiKey: {
      consumerRef: { name: nameOf('Consumer', i) },
      sha256: createHash('sha256').update(String(i)).digest('hex'),
    },
  }
  return object(kind, nameOf(kind, i), 'bad', specs[kind])
}

interface Load {
  /** Ends it; every answer that was wrong. */
  stop(): Promise<readonly string[]>
  readonly asked: () => number
}

function load(url: () => string): Load {
  const wrong: string[] = []
  let asked = 0
  let running: 'yes' | 'no' = 'yes'
  async function ask(i: number): Promise<void> {
    asked += 1
    const headers = { host: `good-${i}.example.com`, ...(i % 2 === 0 ? {} : { 'x-api-key': KEY }) }
    const seen = await answer(url(), headers)
    if (seen !== `200 good-${i}`) wrong.push(`good-${i}: ${seen}`)
  }
  const isRunning = (): unknown => running === 'yes'
  async function loop(start: number): Promise<void> {
    for (let i = start; isRunning(); i = (i + 1) % GOOD) await ask(i)
  }
  const loops = [0, 17, 34].map(loop)
  return {
    asked: () => asked,
    async stop() {
      running = 'no'
      await Promise.all(loops)
      return wrong
    },
  }
}

/** fetch refuses to set Host: plain requests do not. */
async function answer(url: string, headers: Readonly<Record<string, string>>): Promise<string> {
  try {
    const { statusCode, body } = await request(url, { headers })
    return `${statusCode} ${await body.text()}`
  } catch (error) {
    return String(error)
  }
}

function yaml(objects: readonly Plain[]): string {
  return objects.map((one) => stringify(one)).join('---\n')
}

/** Objects of the kind that do not say what is wrong with them. */
function silentOnes({ controller }: FolderGateway, kind: CrdKind): readonly string[] {
  return Array.from({ length: EACH }, (_, i) => nameOf(kind, i)).filter((name) => {
    const verdict = controller.board.verdict(`${kind} bad/${name}`)
    const says = verdict?.problems.some(({ severity, path, sentence }) => {
      return severity === 'failure' && path !== '' && sentence.length > 10
    })
    return says !== true
  })
}

function unhealed({ controller }: FolderGateway, kind: CrdKind): readonly string[] {
  return Array.from({ length: EACH }, (_, i) => nameOf(kind, i)).filter((name) => {
    const verdict = controller.board.verdict(`${kind} bad/${name}`)
    return verdict?.accepted.status !== 'True' || verdict.problems.length > 0
  })
}

test('300 bad objects of each kind never cost the good routes a request, and heal when mended', async (t) => {
  const place = await gatewayPlace(t)
  let gateway = await startFolderGateway(place)
  t.after(() => gateway.stop())
  await gateway.write('good.yaml', yaml(goodObjects()))
  await until('the good routes are there', async () => {
    const seen = await answer(gateway.url, { host: 'good-49.example.com', 'x-api-key': KEY })
    return seen === '200 good-49'
  })
  const first = load(() => gateway.url)
  for (const kind of KINDS) {
    const startedMs = performance.now()
    await gateway.write(`bad-${kind}.yaml`, yaml(badObjects(kind)))
    await until(`each bad ${kind} says why`, () => silentOnes(gateway, kind).length === 0)
    t.diagnostic(`${kind}: all say why after ${Math.round(performance.now() - startedMs)} ms`)
  }
  assert.deepEqual(await first.stop(), [])
  assert.ok(first.asked() > GOOD)

  await gateway.stop()
  gateway = await startFolderGateway(place)
  const second = load(() => gateway.url)
  await gateway.settled()
  for (const kind of KINDS) {
    assert.deepEqual(silentOnes(gateway, kind), [], 'the same after a restart')
    await gateway.write(
      `bad-${kind}.yaml`,
      yaml(Array.from({ length: EACH }, (_, i) => mended(kind, i))),
    )
  }
  for (const kind of KINDS) {
    await until(`each mended ${kind} is accepted`, () => unhealed(gateway, kind).length === 0)
  }
  assert.deepEqual(await second.stop(), [])
})
