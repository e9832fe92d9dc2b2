/**
 * A restart opens nothing: what was edited while nobody ran counts from the first answer on, and a
 * table from disk answers only where no controller does.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type FolderGateway, gatewayPlace, startFolderGateway } from '../fake/folder-gateway.ts'

const OPEN = `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: r }
spec:
  rules:
  - { name: door, public: true, match: [{ path: /door }], respond: { status: 200, body: open } }
`
const POLICY = `apiVersion: fairlead.dev/v1alpha1
kind: AuthPolicy
metadata: { name: p }
spec:
  targetRefs: [{ kind: ApiRoute, name: r }]
  authenticate: { keys: { apiKey: { from: [{ header: { name: x-api-key } }] } } }
`

/** The status of a request on a connection of its own; null where nobody listens. */
function statusAt(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => resolve(null))
    socket.on('close', () => resolve(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? null))
    socket.write('GET /door HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  })
}

/** Asks as fast as it can while the gateway starts: every status that it has seen, each once. */
async function seenWhileStarting(
  start: () => Promise<FolderGateway>,
  port: number,
): Promise<{ readonly gateway: FolderGateway; readonly seen: ReadonlySet<string> }> {
  const seen = new Set<string>()
  const enough = new AbortController()
  const asking = askUntil(enough.signal, port, seen)
  const gateway = await start()
  await gateway.settled()
  seen.add((await statusAt(port)) ?? 'nobody')
  enough.abort()
  await asking
  return { gateway, seen }
}

async function askUntil(enough: AbortSignal, port: number, seen: Set<string>): Promise<void> {
  while (!enough.aborted) {
    const status = await statusAt(port)
    if (status === null) await delay(1)
    else seen.add(status)
  }
}

async function portOf(place: { readonly root: string }): Promise<number> {
  const gateway = await startFolderGateway({ ...place, port: 0, workers: 2 })
  await gateway.settled()
  const { port } = gateway.dataPlane.address
  assert.equal(await statusAt(port), '200')
  await gateway.stop()
  return port
}

test('what was closed while nothing ran is closed from the first answer on', async (t) => {
  const place = await gatewayPlace(t)
  await writeFile(join(place.root, 'folder', 'r.yaml'), OPEN)
  const port = await portOf(place)
  const again = { ...place, port }
  await writeFile(join(place.root, 'folder', 'p.yaml'), POLICY)
  const closed = await seenWhileStarting(() => startFolderGateway(again), port)
  t.after(() => closed.gateway.stop())
  assert.deepEqual([...closed.seen], ['401'])
})
