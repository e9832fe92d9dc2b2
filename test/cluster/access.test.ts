/**
 * Who may do what: data planes at the controller's door, the controller at the API server under
 * exactly the chart's roles, and Secrets where it has been let in.
 */
import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { listAt, textAt } from '../../controller/kube/fields.ts'
import type { Asked } from './cluster.ts'
import { startControllerHere, startPlaneHere, untilSynced } from './here.ts'
import { readObject, removeObject, requestToken } from './objects.ts'
import { charts, CONTROLLER, DATA_PLANE, renderChart, startStage, SYSTEM } from './stage.ts'
import { until } from './until.ts'

const ending = { after }
const optional = join(import.meta.dirname, '..', '..', 'crds', 'manifests', 'optional')
const starting = (async () => {
  const stage = await startStage(ending)
  await stage.kubectl(['apply', '--server-side', '-f', optional])
  for (const name of ['stranger', DATA_PLANE]) {
    await stage.kubectl(['-n', 'shop', 'create', 'serviceaccount', name])
  }
  const controller = await startControllerHere(stage)
  await untilSynced(controller)
  await stage.members(['plane-a'])
  const plane = await startPlaneHere(stage, { pod: 'plane-a', ports: [controller.port] })
  await until('the data plane runs', 10_000, () => (plane.sync.state().hash === null ? null : 'y'))
  return { stage, controller, plane }
})()

const rule = { name: 'all', match: [{ path: '/a' }], respond: { status: 200 } }

function route(name: string, rules: readonly object[]): string {
  return JSON.stringify({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiRoute',
    metadata: { name, namespace: 'shop' },
    spec: { hosts: [`${name}.example.com`], rules },
  })
}

// ---- at the controller's door ----------------------------------------------------------------

interface Refused {
  readonly status: unknown
  readonly headers: readonly string[]
  readonly bytes: number
}

async function knock(headers: Readonly<Record<string, string>>): Promise<Refused> {
  const { stage, controller } = await starting
  const ca = await readFile(await stage.caFile())
  const session = connect(`https://127.0.0.1:${controller.port}`, { ca })
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject)
      const stream = session.request({ ':method': 'POST', ':path': '/v1/stream', ...headers })
      let bytes = 0
      stream.on('error', reject)
      stream.on('response', (answer) => {
        const names = Object.keys(answer).filter((name) => name !== 'date')
        stream.on('data', (chunk: Buffer) => {
          bytes += chunk.length
        })
        const said = (): void => resolve({ status: answer[':status'], headers: names, bytes })
        // A stream that is welcome does not end.
        if (answer[':status'] === 200) said()
        else stream.on('end', said)
      })
    })
  } finally {
    session.destroy()
  }
}

test('a wrong, missing or foreign token on the wire gets 401 and nothing else', async () => {
  const { stage, plane } = await starting
  const { api } = stage.cluster
  const own = { namespace: SYSTEM, account: DATA_PLANE, audience: 'fairlead-wire' }
  const tokens = {
    none: null,
    garbage: 'garbage',
    'of another audience': await requestToken(api, {
      ...own,
      audience: 'https://kubernetes.default.svc',
    }),
    'of another account': await requestToken(api, {
      ...own,
      namespace: 'shop',
      account: 'stranger',
    }),
    'of the same name elsewhere': await requestToken(api, { ...own, namespace: 'shop' }),
    'of the controller': await requestToken(api, { ...own, account: CONTROLLER }),
    'with a broken signature': `${(await requestToken(api, own)).slice(0, -6)}AAAAAA`,
  }
  const nothing: Refused = { status: 401, headers: [':status'], bytes: 0 }
  for (const [what, token] of Object.entries(tokens)) {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` }
    assert.deepEqual(await knock(headers), nothing, what)
  }
  const good = { authorization: `Bearer ${await requestToken(api, own)}` }
  for (const wrong of [
    { ':path': '/v1/other' },
    { ':path': '/v1/replica' },
    { ':method': 'GET' },
  ]) {
    assert.deepEqual(await knock({ ...good, ...wrong }), nothing)
  }
  assert.equal((await knock(good)).status, 200)
  assert.equal(plane.sync.state().stream, 'up', 'and who was there stays')
})

test('the token of a pod ends with the pod', async () => {
  const { stage } = await starting
  const file = await stage.tokenFile('short-lived')
  await stage.kubectl(['-n', SYSTEM, 'delete', 'pod', 'short-lived', '--now'])
  // Shown for the first time now: the API server knows a token for ten seconds after it has judged it.
  const headers = { authorization: `Bearer ${await readFile(file, 'utf8')}` }
  assert.equal((await knock(headers)).status, 401)
})

// ---- Secrets ---------------------------------------------------------------------------------

const PEPPERED = [
  route('closed', [rule]),
  JSON.stringify({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'AuthPolicy',
    metadata: { name: 'closed', namespace: 'shop' },
    spec: {
      targetRefs: [{ kind: 'ApiRoute', name: 'closed' }],
      authenticate: {
        keys: { apiKey: { formats: ['imported'], pepperSecretRef: { name: 'pepper' } } },
      },
    },
  }),
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'pepper', namespace: 'shop' },
    type: 'fairlead.dev/pepper',
    data: { pepper: Buffer.from('0123456789abcdef0123456789abcdef').toString('base64') },
  }),
].join('\n---\n')

const POLICY = 'shop/authpolicies/closed'

test('Secrets of a closed namespace hurt only what refers there, and the sentence opens it', async () => {
  const { stage, plane } = await starting
  await stage.apply(route('open', [{ ...rule, public: true }]))
  await stage.says('shop/apiroutes/open', 'Programmed', 'True Programmed')
  await stage.apply(PEPPERED)
  await stage.says(POLICY, 'Accepted', 'False SecretInvalid')
  await stage.apply(route('after', [{ ...rule, public: true }]))
  await stage.says('shop/apiroutes/after', 'Programmed', 'True Programmed')
  assert.ok(JSON.stringify([...plane.workers.objects.values()]).includes('after.example.com'))

  const [problem] = listAt(await readObject(stage.cluster.api, POLICY), 'status', 'problems')
  const sentence = textAt(problem, 'sentence') ?? ''
  const [, line = ''] = /grant it with: kubectl (.*)$/.exec(sentence) ?? []
  assert.equal(
    line,
    '-n shop create rolebinding fairlead-secrets --clusterrole=fairlead-secrets ' +
      '--serviceaccount=fairlead-system:fairlead-controller',
  )
  await stage.kubectl(line.split(' '))
  await stage.says(POLICY, 'Accepted', 'True Accepted')
  await stage.says(POLICY, 'Programmed', 'True Programmed')
})

test('a Secret that is deleted goes at once, and comes back', async () => {
  const { stage, plane } = await starting
  const held = (): boolean =>
    [...plane.workers.objects.values()].some(({ kind }) => kind === 'secret')
  assert.ok(held())
  await stage.kubectl(['-n', 'shop', 'delete', 'secret', 'pepper'])
  await until('the data plane has it no more', 10_000, () => (held() ? null : 'yes'))
  await stage.says(POLICY, 'Accepted', 'False SecretInvalid')
  await stage.apply(PEPPERED)
  await stage.says(POLICY, 'Accepted', 'True Accepted')
  await until('the data plane has it again', 10_000, () => (held() ? 'yes' : null))
})

// ---- the chart's roles -----------------------------------------------------------------------

interface Right {
  readonly group: string
  readonly resource: string
  readonly verb: string
  /** Null: any. */
  readonly namespace: string | null
  readonly name: string | null
}

/** Every verb of every rule by itself. */
async function rights(): Promise<readonly Right[]> {
  const rendered = await renderChart(['fairlead', join(charts, 'fairlead')])
  return rendered
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    .flatMap(({ object }) => listAt(object, 'rules').flatMap((one) => rightsOf(one, object)))
}

function rightsOf(one: unknown, role: unknown): readonly Right[] {
  const texts = (field: string): string[] => listAt(one, field).map(String)
  const names = texts('resourceNames')
  const namespace = textAt(role, 'metadata', 'namespace')
  return texts('apiGroups').flatMap((group) =>
    texts('resources').flatMap((resource) =>
      texts('verbs').flatMap((verb) =>
        (names.length === 0 ? [null] : names).map((name) => ({
          group,
          resource,
          verb,
          namespace,
          name,
        })),
      ),
    ),
  )
}

function uses(asked: Asked, right: Right): boolean {
  // An apply that creates needs both.
  const verbs = asked.verb === 'patch' && asked.code === 201 ? ['patch', 'create'] : [asked.verb]
  return (
    asked.code < 400 &&
    verbs.includes(right.verb) &&
    asked.group === right.group &&
    asked.resource === right.resource &&
    (right.namespace === null || right.namespace === asked.namespace) &&
    (right.name === null || right.name === asked.name)
  )
}

test('every rule of the roles is used, and nothing is asked beyond them', async () => {
  const { stage, plane } = await starting
  const invalid = { ...rule, public: true, match: [{ path: '/a', when: 'nonsense(' }] }
  await stage.apply(invalidated(invalid))
  await stage.says('shop/apiroutes/open', 'Accepted', 'False InvalidExpression')
  await stage.apply(ONE_OF_EACH)
  for (const resource of ['ratelimitpolicies/one', 'consumers/one', 'apikeys/one']) {
    await stage.says(`shop/${resource}`, 'Programmed', 'True Programmed')
  }
  await stage.apply(route('open', [{ ...rule, public: true }]))
  await stage.says('shop/apiroutes/open', 'Accepted', 'True Accepted')
  await removeObject(stage.cluster.api, 'shop/apiroutes/after')
  assert.equal(plane.sync.state().stream, 'up')

  const all = await until('everything was asked once', 15_000, async () => {
    const asked = await ownRequests()
    return (await unused(asked)).length === 0 ? asked : null
  }).catch(async () => ownRequests())
  assert.ok((await rights()).length > 40)
  assert.deepEqual(await unused(all), [], 'a rule of the chart that nothing uses')
  const forbidden = all.filter(({ code }) => code === 403)
  const expected = forbidden.filter(
    ({ resource, namespace, verb }) =>
      resource === 'secrets' && namespace === 'shop' && verb === 'list',
  )
  assert.deepEqual(
    forbidden.map(({ verb, resource, namespace }) => `${verb} ${resource} ${namespace}`),
    expected.map(({ verb, resource, namespace }) => `${verb} ${resource} ${namespace}`),
    'a rule that the chart lacks',
  )
  assert.ok(expected.length > 0)
})

function invalidated(bad: object): string {
  return route('open', [bad])
}

const ONE_OF_EACH = [
  [
    'RateLimitPolicy',
    { targetRefs: [{ kind: 'ApiRoute', name: 'closed' }], limits: { all: { rate: '5/1s' } } },
  ],
  ['Consumer', {}],
  ['ApiBackend', { service: { name: 'books', port: 80 } }],
  ['ApiKey', { consumerRef: { name: 'one' }, sha256: '0'.repeat(64) }],
]
  .map(([kind, spec]) =>
    JSON.stringify({
      apiVersion: 'fairlead.dev/v1alpha1',
      kind,
      metadata: { name: 'one', namespace: 'shop' },
      spec,
    }),
  )
  .join('\n---\n')

async function ownRequests(): Promise<readonly Asked[]> {
  const { stage } = await starting
  const user = `system:serviceaccount:${SYSTEM}:${CONTROLLER}`
  return (await stage.cluster.audit()).filter((asked) => asked.user === user)
}

async function unused(all: readonly Asked[]): Promise<readonly string[]> {
  const left = (await rights()).filter((right) => !all.some((asked) => uses(asked, right)))
  return left.map(({ verb, resource, name }) => `${verb} ${resource} ${name ?? ''}`.trim())
}

test('a data plane may ask the API server for nothing', async () => {
  const { stage } = await starting
  const may = (account: string): Promise<string> =>
    stage.kubectl(['auth', 'can-i', '--list', `--as=system:serviceaccount:${account}`])
  assert.equal(await may(`${SYSTEM}:${DATA_PLANE}`), await may('shop:stranger'))
  const asked = (await stage.cluster.audit()).filter(({ user }) => user.endsWith(DATA_PLANE))
  assert.deepEqual(asked, [])
})

test('where all Secrets are to be read and none may be, the sentence says so', async () => {
  const { stage, controller } = await starting
  await controller.close()
  const second = await startControllerHere(stage, { name: 'all-secrets', secrets: 'cluster' })
  await stage.says(POLICY, 'Accepted', 'False SecretInvalid', 20_000)
  await stage.says('shop/apiroutes/open', 'Accepted', 'True Accepted')
  const [problem] = listAt(await readObject(stage.cluster.api, POLICY), 'status', 'problems')
  const [, line = ''] = /grant it with: kubectl (.*)$/.exec(textAt(problem, 'sentence') ?? '') ?? []
  assert.match(line, /^create clusterrolebinding fairlead-secrets --clusterrole=fairlead-secrets /)
  await stage.kubectl(line.split(' '))
  await stage.says(POLICY, 'Accepted', 'True Accepted')
  await second.close()
})
