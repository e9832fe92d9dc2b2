/**
 * One host that is more than a data plane takes, beside good ones under load: it is closed as a
 * whole and says why, and neither the others nor their later changes wait for it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import {
  type FolderGateway,
  gatewayPlace,
  startFolderGateway,
  until,
} from '../fake/folder-gateway.ts'

/** So many routes of the longest names, with all the rules and matches that there may be. */
const ROUTES = 44
const NAMESPACE = 'huge'.padEnd(63, 'e')
const HOST = 'huge.example.com'

function apiRoute(namespace: string, name: string, spec: object): object {
  const apiVersion = 'fairlead.dev/v1alpha1'
  return { apiVersion, kind: 'ApiRoute', metadata: { name, namespace }, spec }
}

function open(namespace: string, name: string, host: string): object {
  return apiRoute(namespace, name, {
    hosts: [host],
    public: true,
    rules: [{ name: 'all', match: [{ path: '/**' }], respond: { status: 200, body: name } }],
  })
}

function hugeRoutes(): readonly object[] {
  return Array.from({ length: ROUTES }, (_, i) =>
    apiRoute(NAMESPACE, `r${i}-`.padEnd(253, 'x'), {
      hosts: [HOST],
      public: true,
      rules: Array.from({ length: 64 }, (__, j) => ({
        name: `r${j}-`.padEnd(63, 'x'),
        match: Array.from({ length: 16 }, (___, k) => ({ path: `/p${i}/${j}/${k}` })),
        respond: { status: 200 },
      })),
    }),
  )
}

function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
}

async function answer({ url }: FolderGateway, host: string, path = '/'): Promise<string> {
  const { statusCode, headers, body } = await request(url + path, { headers: { host } })
  const text = await body.text()
  return `${statusCode} ${String(headers['x-fairlead-cause'] ?? text)}`
}

function load(gateway: FolderGateway): { stop(): Promise<readonly string[]> } {
  const wrong: string[] = []
  let running: 'yes' | 'no' = 'yes'
  const isRunning = (): unknown => running === 'yes'
  async function loop(): Promise<void> {
    while (isRunning()) {
      const seen = await answer(gateway, 'good.test').catch(String)
      if (seen !== '200 good') wrong.push(seen)
    }
  }
  const loops = [loop(), loop()]
  return {
    async stop() {
      running = 'no'
      await Promise.all(loops)
      return wrong
    },
  }
}

function reasonOf({ controller }: FolderGateway, i: number): string | undefined {
  const name = `r${i}-`.padEnd(253, 'x')
  return controller.board.verdict(`ApiRoute ${NAMESPACE}/${name}`)?.accepted.reason
}

test('a huge host is closed, and neither a good one nor its later changes wait for it', async (t) => {
  const place = await gatewayPlace(t)
  let gateway = await startFolderGateway(place)
  t.after(() => gateway.stop())
  await gateway.write('good.json', list([open('good', 'good', 'good.test')]))
  await gateway.write('wild.json', list([open(NAMESPACE, 'wild', '*.example.com')]))
  await until('the good route is there', async () => {
    return (await answer(gateway, 'good.test')) === '200 good'
  })
  await until('the wildcard is there', async () => (await answer(gateway, HOST)) === '200 wild')

  const first = load(gateway)
  await gateway.write('huge.json', list(hugeRoutes()))
  await until('the huge host is closed', async () => (await answer(gateway, HOST)) !== '200 wild')
  assert.equal(await answer(gateway, HOST), '503 too-large')
  assert.equal(await answer(gateway, HOST, '/p0/0/0'), '503 too-large')
  assert.equal(await answer(gateway, 'other.example.com'), '200 wild')
  await until('its routes say so', () => reasonOf(gateway, ROUTES - 1) === 'TooLarge')
  await gateway.write('more.json', list([open('good', 'more', 'more.test')]))
  await until('a later change is there', async () => {
    return (await answer(gateway, 'more.test')) === '200 more'
  })
  assert.deepEqual(await first.stop(), [])

  await gateway.stop()
  gateway = await startFolderGateway(place)
  const second = load(gateway)
  await gateway.settled()
  assert.equal(await answer(gateway, HOST), '503 too-large', 'the same after a restart')
  await gateway.write('huge.json', list([open(NAMESPACE, 'mended', HOST)]))
  await until('the host heals', async () => (await answer(gateway, HOST)) === '200 mended')
  assert.deepEqual(await second.stop(), [])
})
