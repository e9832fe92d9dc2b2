/**
 * The whole walk in a cluster: kubectl apply, status, and a request through a data plane.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ask } from './ask.ts'
import { startBackend } from './backend.ts'
import { startProgram } from './program.ts'
import { startControllerProgram, startDataPlaneProgram, startStage, SYSTEM } from './stage.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '..', '..')
const ending = { after }
const starting = (async () => {
  const stage = await startStage(ending)
  const controller = await startControllerProgram(stage)
  const plane = await startDataPlaneProgram(stage, {
    pod: 'plane-a',
    controllers: [controller.port],
  })
  await stage.members(['plane-a'])
  return { stage, controller, plane }
})()

const HELLO = `
apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: hello, namespace: shop }
spec:
  hosts: [hello.example.com]
  rules:
  - { name: hello, public: true, match: [{ path: /hello }], backends: [{ service: { name: hello, port: 80 } }] }
`
const PROGRAMMED = ['wait', '--for=condition=Programmed', '--timeout=20s']

test('an applied route answers requests', async () => {
  const { stage, plane } = await starting
  const backend = await startBackend(ending, 'hello')
  await stage.service('shop', 'hello', [backend])
  await stage.kubectl(['apply', '-f', '-'], HELLO)
  await stage.kubectl([...PROGRAMMED, '-n', 'shop', 'apiroute/hello'])
  const answer = await ask(`${plane.http}/hello`, 'hello.example.com')
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['x-backend'], 'hello')
  assert.deepEqual(backend.seen, ['GET /hello'])
})

test('a change, a deletion and a return show in answers', async () => {
  const { stage, plane } = await starting
  const status = async (path: string): Promise<number> =>
    (await ask(`${plane.http}${path}`, 'hello.example.com')).status
  const becomes = (path: string, wanted: number): Promise<number> =>
    until(`${path} answers ${wanted}`, 5_000, async () => {
      const seen = await status(path)
      return seen === wanted ? seen : null
    })
  await stage.apply(HELLO.replace('path: /hello', 'path: /goodbye'))
  await becomes('/goodbye', 200)
  assert.equal(await status('/hello'), 404)
  await stage.kubectl(['-n', 'shop', 'delete', 'apiroute', 'hello'])
  await becomes('/goodbye', 404)
  await stage.apply(HELLO)
  await becomes('/hello', 200)
  await stage.kubectl([...PROGRAMMED, '-n', 'shop', 'apiroute/hello'])
})

test('new endpoints take requests, and old ones get none', async () => {
  const { stage, plane } = await starting
  const [first, second] = [await startBackend(ending, 'one'), await startBackend(ending, 'two')]
  await stage.service('shop', 'hello', [first])
  const answers = (name: string): Promise<string> =>
    until(`${name} answers`, 5_000, async () => {
      const { text } = await ask(`${plane.http}/hello`, 'hello.example.com')
      return text.includes(`"name":"${name}"`) ? text : null
    })
  await answers('one')
  await stage.service('shop', 'hello', [second])
  await answers('two')
  const before = first.seen.length
  for (let i = 0; i < 10; i += 1) await answers('two')
  assert.equal(first.seen.length, before)
})

test('everything in examples is programmed, and a key opens what needs one', async () => {
  const { stage, plane } = await starting
  const backend = await startBackend(ending, 'books')
  for (const name of ['books', 'search', 'orders', 'customers', 'stock']) {
    await stage.service('shop', name, [backend])
  }
  const made = startProgram(ending, ['key', 'create', '--consumer=shop/acme'])
  assert.equal(await made.exited, 0)
  const [, secret = ''] = /(fl_[A-Za-z0-9_-]+)/.exec(made.output()) ?? []
  await stage.kubectl(['apply', '-f', join(root, 'examples', 'bookshop')])
  await stage.apply(manifestIn(made.output()))
  const all = 'apiroutes,authpolicies,ratelimitpolicies,consumers,apikeys,apigateways'
  await stage.kubectl([...PROGRAMMED, '--all-namespaces', '--all', all])

  const shop = 'shop.example.com'
  assert.equal((await ask(`${plane.http}/books/b42`, shop)).status, 200)
  const closed = await ask(`${plane.http}/orders/7`, shop)
  assert.equal(closed.status, 401, closed.text)
  const open = await ask(`${plane.http}/orders/7`, shop, { 'x-api-key': secret })
  assert.equal(open.status, 200, open.text)
  assert.match(open.text, /"x-partner":"acme"/)
  assert.ok(!open.text.includes(secret), 'the backend does not see the key')
})

/** What `key create` prints beside the key: an ApiKey to apply. */
function manifestIn(printed: string): string {
  return printed.replace(/^The key.*\n/m, '')
}

test('a bad object beside a good one says why, harms nobody, and heals', async () => {
  const { stage, plane } = await starting
  const bad = HELLO.replaceAll('hello', 'bad').replace(
    'name: bad, port: 80',
    'name: nowhere, port: 80',
  )
  const appliedMs = performance.now()
  await stage.apply(bad)
  const said = await until('it says why', 5_000, () =>
    stage.condition('shop/apiroutes/bad', 'Accepted'),
  )
  assert.ok(performance.now() - appliedMs < 5_000)
  assert.equal(said, 'False BackendNotFound')
  const why = await stage.kubectl(['-n', 'shop', 'get', 'apiroute', 'bad', '-o', 'yaml'])
  assert.match(why, /path: spec\.rules\[0\]\.backends\[0\]\.service\.name/)
  assert.match(why, /There is no Service "nowhere" in namespace "shop"; create it/)
  const good = await ask(`${plane.http}/hello`, 'hello.example.com')
  assert.equal(good.status, 200)
  const own = await ask(`${plane.http}/bad`, 'bad.example.com')
  assert.equal(own.status, 500, own.text)
  const backend = await startBackend(ending, 'nowhere')
  await stage.service('shop', 'nowhere', [backend])
  await stage.kubectl([...PROGRAMMED, '--timeout=5s', '-n', 'shop', 'apiroute/bad'])
  assert.equal(await stage.condition('shop/apiroutes/bad', 'Accepted'), 'True Accepted')
  assert.equal((await ask(`${plane.http}/bad`, 'bad.example.com')).status, 200)
})

test('the columns of kubectl get answer whether it works', async () => {
  const { stage } = await starting
  const columns = async (...args: readonly string[]): Promise<string> =>
    (await stage.kubectl(['get', ...args])).replaceAll(/ +/g, ' ')
  assert.match(
    await columns('flroute', 'hello', '-n', 'shop'),
    /^NAME HOSTS ACCEPTED PROGRAMMED REASON ROLLOUT AGE\nhello \["hello\.example\.com"\] True True Accepted Programmed \d+s\n$/,
  )
  assert.match(
    await columns('flgw', '-n', SYSTEM),
    /^NAME ACCEPTED PROGRAMMED REASON ROLLOUT INSYNC AGE\ndefault True True Accepted Programmed True \d+s\n$/,
  )
  assert.match(
    await columns('flauth,flrate,flconsumer,flkey', '-n', 'shop'),
    /partners shop True True Accepted Programmed[\s\S]*search shop True True[\s\S]*acme Acme Books Active True True[\s\S]*acme-\w+ acme True True/,
  )
})

test('a data plane that stops ends well', async () => {
  const { controller, plane } = await starting
  assert.equal(await plane.stop(), 0, plane.output())
  assert.equal(await controller.stop(), 0, controller.output())
  for (const program of [plane, controller]) {
    assert.ok(!/"level":(50|60)|bug:/.test(program.output()), program.output())
  }
})
