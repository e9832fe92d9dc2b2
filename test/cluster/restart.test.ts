/**
 * What survives when a controller or a data plane ends, and starts again.
 */
import assert from 'node:assert/strict'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ask, startTraffic } from './ask.ts'
import { startBackend } from './backend.ts'
import { untilReady } from './program.ts'
import {
  type ControllerProgram,
  type DataPlaneProgram,
  startControllerProgram,
  startDataPlaneProgram,
  startStage,
} from './stage.ts'
import { until } from './until.ts'

const POD = 'plane-a'
const HOST = 'shop.example.com'
const ending = { after }

interface Running {
  controller: ControllerProgram
  plane: DataPlaneProgram
}

const starting = (async () => {
  const stage = await startStage(ending)
  const backend = await startBackend(ending, 'books')
  await stage.service('shop', 'books', [backend])
  const controller = await startControllerProgram(stage)
  const plane = await startDataPlaneProgram(stage, { pod: POD, controllers: [controller.port] })
  await stage.members([POD])
  await stage.apply(route('request.method == "GET"'))
  await stage.says('shop/apiroutes/shop', 'Programmed', 'True Programmed', 20_000)
  const running: Running = { controller, plane }
  return { stage, running }
})()

function route(when: string): string {
  return JSON.stringify({
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'ApiRoute',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: {
      hosts: [HOST],
      rules: [
        {
          name: 'books',
          public: true,
          match: [{ path: '/books', when }],
          backends: [{ service: { name: 'books', port: 80 } }],
        },
      ],
    },
  })
}

async function again(): Promise<void> {
  const { stage, running } = await starting
  const { port } = running.controller
  running.controller = await startControllerProgram(stage, { port })
}

async function planeAgain(): Promise<void> {
  const { stage, running } = await starting
  const port = Number(new URL(running.plane.http).port)
  const controllers = [running.controller.port]
  running.plane = await startDataPlaneProgram(stage, { pod: POD, controllers, port })
}

async function status(): Promise<number> {
  const { running } = await starting
  return (await ask(`${running.plane.http}/books`, HOST)).status
}

test('a controller that is killed and comes back costs no request', async () => {
  const { stage, running } = await starting
  const traffic = startTraffic(`${running.plane.http}/books`, HOST)
  await running.controller.kill()
  await until('the data plane has noticed', 10_000, () =>
    running.plane.output().includes('no stream') ? 'yes' : null,
  )
  await again()
  await stage.apply(route('request.method != "PUT"'))
  await stage.says('shop/apiroutes/shop', 'Programmed', 'True Programmed', 20_000)
  const seen = await traffic.stop()
  assert.deepEqual([...seen.keys()], ['200'], JSON.stringify([...seen]))
  assert.ok((seen.get('200') ?? 0) > 50)
})

test('a data plane that starts without a controller serves its last good table', async () => {
  const { stage, running } = await starting
  const endpoints = join(stage.cluster.folder, `state-${POD}`, 'endpoints.ndjson')
  // Written at most once a second; without it the Service's own address is used.
  await until('the endpoints are on disk', 10_000, async () => {
    const text = await readFile(endpoints, 'utf8').catch(() => '')
    return text.includes('"address"') ? 'yes' : null
  })
  await running.controller.kill()
  await running.plane.kill()
  await planeAgain()
  assert.equal(await status(), 200)
  await again()
  await until('the stream is up', 20_000, () =>
    running.controller.output().includes('a data plane connected') ? 'yes' : null,
  )
  assert.equal(await status(), 200)
})

test('an invalid update leaves what was valid in force, after both have restarted too', async () => {
  const { stage, running } = await starting
  await stage.apply(route('nonsense('))
  const accepted = (): Promise<string | null> => stage.condition('shop/apiroutes/shop', 'Accepted')
  await stage.says('shop/apiroutes/shop', 'Accepted', 'False InvalidExpression', 5_000)
  assert.equal(await status(), 200)
  const kept = await stage.kubectl(['-n', 'shop', 'get', 'lastvalids', '-o', 'name'])
  assert.equal(kept, 'lastvalid.fairlead.dev/apiroute.shop\n')
  await running.controller.kill()
  await running.plane.kill()
  // Nothing of the data plane's own is left: the controller alone remembers.
  await rm(join(stage.cluster.folder, `state-${POD}`), { recursive: true })
  await again()
  await planeAgain()
  assert.equal(await status(), 200)
  assert.equal(await accepted(), 'False InvalidExpression')
  assert.match((await stage.condition('shop/apiroutes/shop', 'Programmed')) ?? '', /^True/)
  await stage.apply(route('request.method == "GET"'))
  await stage.says('shop/apiroutes/shop', 'Accepted', 'True Accepted', 5_000)
  await until('nothing is remembered any more', 5_000, async () =>
    (await stage.kubectl(['-n', 'shop', 'get', 'lastvalids', '-o', 'name'])) === '' ? 'yes' : null,
  )
  assert.equal(await status(), 200)
})

test('what was deleted while nobody watched is gone afterwards', async () => {
  const { stage, running } = await starting
  await running.controller.kill()
  await stage.kubectl(['-n', 'shop', 'delete', 'apiroute', 'shop'])
  await again()
  await until('it answers 404', 20_000, async () => ((await status()) === 404 ? 'yes' : null))
})

test('an API server that is away costs no request, and a controller that starts then waits', async () => {
  const { stage, running } = await starting
  await stage.apply(route('request.method == "GET"'))
  await stage.says('shop/apiroutes/shop', 'Programmed', 'True Programmed', 20_000)
  const traffic = startTraffic(`${running.plane.http}/books`, HOST)
  await stage.cluster.stopApiServer()
  await running.controller.stop()
  const { port } = running.controller
  running.controller = await startControllerProgram(stage, { port, wait: 'no' })
  const { output, adminPort } = running.controller
  await until('it says what it waits for', 20_000, () =>
    /cannot start yet: .*cannot reach the API server/.test(output()) ? 'yes' : null,
  )
  const probe = async (path: string): Promise<number> =>
    (await ask(`http://127.0.0.1:${adminPort}${path}`, 'probe')).status
  assert.deepEqual([await probe('/livez'), await probe('/readyz')], [200, 503])
  await stage.cluster.startApiServer()
  await untilReady(running.controller, adminPort)
  await stage.apply(route('request.method != "PUT"'))
  await stage.says('shop/apiroutes/shop', 'Programmed', 'True Programmed', 20_000)
  const seen = await traffic.stop()
  assert.deepEqual([...seen.keys()], ['200'], JSON.stringify([...seen]))
})

test('neither of the two says a word about a bug', async () => {
  const { running } = await starting
  for (const program of [running.controller, running.plane]) {
    assert.ok(!/"level":(50|60)|bug:/.test(program.output()), program.output())
  }
})
