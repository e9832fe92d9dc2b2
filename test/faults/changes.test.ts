/**
 * Configuration changes cost no request: a hundred of them under keep-alive and new-connection load,
 * each answer judged by what was in force while it was under way.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agent, request } from 'undici'
import { type FolderGateway, gatewayPlace, startFolderGateway } from '../fake/folder-gateway.ts'

const CHANGES = 100

/** Version n of the folder: one text, one route that comes and goes, one policy that is rewritten. */
function version(n: number): string {
  const coming =
    n % 2 === 0
      ? '  - { name: coming, public: true, match: [{ path: /coming }], respond: { status: 200, body: here } }\n'
      : ''
  const backend =
    n % 3 === 0
      ? `respond: { status: 200, body: "fixed" }`
      : `backends: [{ service: { name: books, port: ${80 + (n % 5)} } }]`
  return `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: shop }
spec:
  rules:
  - { name: text, public: true, match: [{ path: /text }], respond: { status: 200, body: "v${n}" } }
  - { name: moving, public: true, match: [{ path: /moving }], ${backend} }
  - { name: closed, match: [{ path: /closed }], respond: { status: 200, body: secret } }
${coming}---
apiVersion: fairlead.dev/v1alpha1
kind: AuthPolicy
metadata: { name: keys }
spec:
  targetRefs: [{ kind: ApiRoute, name: shop, sectionName: closed }]
  authenticate:
    keys${n % 4}: { apiKey: { from: [{ header: { name: x-api-key-${n % 4} } }] } }
`
}

interface Bounds {
  /** Runs everywhere. */
  acknowledged: number
  /** Was written. */
  newest: number
}

/** Why an answer is wrong, or null. */
type Judge = (status: number, body: string, from: number, to: number) => string | null

const JUDGES: Readonly<Record<string, Judge>> = {
  '/text': (status, body, from, to) => {
    const n = Number(/^v(\d+)$/.exec(body)?.[1] ?? Number.NaN)
    return status === 200 && n >= from && n <= to ? null : `${status} ${body}, not v${from}–v${to}`
  },
  '/moving': (status, body) => (status === 200 ? null : `${status} ${body}`),
  '/closed': (status, body) => (status === 401 ? null : `${status} ${body}`),
  '/coming': (status, body, from, to) => {
    const both = to > from || status === (from % 2 === 0 ? 200 : 404)
    return (status === 200 || status === 404) && both ? null : `${status} ${body} at v${from}`
  },
}

async function ask(
  url: string,
  path: string,
  agent: Agent,
  bounds: Bounds,
): Promise<string | null> {
  const from = bounds.acknowledged
  try {
    const { statusCode, body } = await request(`${url}${path}`, { dispatcher: agent })
    const text = await body.text()
    const wrong = JUDGES[path]?.(statusCode, text, from, bounds.newest) ?? null
    return wrong === null ? null : `${path}: ${wrong}`
  } catch (error) {
    return `${path}: ${String(error)}`
  }
}

test('a hundred changes under load give no wrong answer', async (t) => {
  const gateway: FolderGateway = await startFolderGateway(await gatewayPlace(t))
  t.after(() => gateway.stop())
  await gateway.write('a.yaml', version(0))
  await gateway.settled()
  while ((await request(`${gateway.url}/text`)).statusCode !== 200) await gateway.settled()
  const bounds: Bounds = { acknowledged: 0, newest: 0 }
  const wrong: string[] = []
  const run = { going: 'yes', asked: 0 }
  async function client(kind: 'keepAlive' | 'newConnections', path: string): Promise<void> {
    const agent = new Agent({ connections: 2, pipelining: kind === 'keepAlive' ? 1 : 0 })
    while (run.going === 'yes') {
      run.asked += 1
      const said = await ask(gateway.url, path, agent, bounds)
      if (said !== null) wrong.push(`${kind} ${said}`)
    }
    await agent.close()
  }
  const clients = Object.keys(JUDGES).flatMap((path) => [
    client('keepAlive', path),
    client('newConnections', path),
  ])
  for (let n = 1; n <= CHANGES; n += 1) {
    bounds.newest = n
    await gateway.write('a.yaml', version(n))
    await seen(gateway, n)
    bounds.acknowledged = n
  }
  run.going = 'no'
  await Promise.all(clients)
  assert.deepEqual(wrong, [])
  t.diagnostic(`${run.asked} requests over ${CHANGES} changes`)
  assert.ok(run.asked > CHANGES)
})

/** The folder has been read that far, and every worker has acknowledged what came of it. */
async function seen(gateway: FolderGateway, n: number): Promise<void> {
  const limit = performance.now() + 30_000
  for (;;) {
    const route = gateway.controller.source.current('ApiRoute', 'default', 'shop')
    if (JSON.stringify(route?.content).includes(`"v${n}"`)) break
    assert.ok(performance.now() < limit, `version ${n} is never read`)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await gateway.settled()
}
