/**
 * Records a session between the controller and a data plane of this working tree, over a real
 * socket, to `recorded/v<WIRE_VERSION>.ndjson` and the table that it leads to. To be run once for a
 * version of the contract: what was released is never recorded again.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CompiledTable } from '../../controller/compile/compiled.ts'
import { createCertificates, trustOf } from '../../controller/push/certificate.ts'
import { newToken, staticTokens } from '../../controller/push/identity.ts'
import { createPush } from '../../controller/push/push.ts'
import type { Push } from '../../controller/push/push.ts'
import { runStream } from '../../dataplane/sync/stream.ts'
import { WIRE_VERSION } from '#wire/table'
import type { TableObject } from '#wire/table'
import { DATA_PLANE, RECORDED, dataPlane, saidIn } from './replay.ts'
import type { Line } from './replay.ts'
import { GATEWAY, SAMPLES, SOURCE, tableObject } from './samples.ts'
import { compiled, listLog, reads, until } from './world.ts'

const BOOKS = 'shop/books:80'
const NEW = 'shop/new:80'

function changed(objects: readonly TableObject[]): readonly TableObject[] {
  return objects.flatMap((object) => {
    if (object.kind === 'apiKey') return []
    if (object.kind !== 'consumer') return [object]
    return [tableObject('consumer', object.key, { ...object.value, displayName: 'B' }, [SOURCE])]
  })
}

/** Everything that a stream can carry, step by step; each waits until the last one has arrived. */
async function play(push: Push, plane: ReturnType<typeof dataPlane>, lines: Line[]): Promise<void> {
  const { workers } = plane
  const seen = (type: string): number =>
    lines.filter((line) => 'down' in line && line.down.type === type).length
  await until('the snapshot', () => workers.changes.length === 1)
  push.endpoints(reads({ [BOOKS]: ['10.0.0.1', '10.0.0.2'], [NEW]: ['10.0.0.9'] }))
  await until('endpoints', () => workers.sets.get(BOOKS)?.length === 2)
  const backend = tableObject('backend', NEW, { protocol: 'h2c', clusterAddress: null })
  const next = offer(push, [...changed(SAMPLES), backend], '1002', compiled(SAMPLES))
  await until('the delta', () => workers.changes.length === 2)
  await until('a ping', () => seen('ping') > 0)
  workers.bug = 'a bug'
  offer(push, changed(SAMPLES), '1003', next)
  await until('refusals', () => push.members(GATEWAY)[0]?.refused !== null)
  workers.bug = null
  const rejected = {
    kind: 'rule',
    key: 'shop/shop/full',
    sources: [SOURCE],
    reason: 'No.',
  } as const
  workers.rejects = [rejected]
  offer(push, [...changed(SAMPLES), backend], '1004', next)
  offer(push, SAMPLES, '1005', next)
  await until('the last one', () => push.members(GATEWAY)[0]?.rejected.length === 1)
}

function offer(
  push: Push,
  objects: readonly TableObject[],
  version: string,
  before: CompiledTable | null,
): CompiledTable {
  const table = compiled(objects, before)
  const tables = new Map([[GATEWAY, table]])
  push.offer({ tables, basis: { ApiRoute: version, 'Secret/shop': '998' } })
  return table
}

const folder = await mkdtemp(join(tmpdir(), 'fairlead-record-'))
const certificates = await createCertificates(['127.0.0.1'], Date.now())
const caFile = join(folder, 'ca.pem')
const tokenFile = join(folder, 'token')
await writeFile(caFile, trustOf(certificates))
await writeFile(tokenFile, newToken())
const push = await createPush({
  listen: { host: '127.0.0.1', port: 0 },
  certificate: certificates.server,
  identify: staticTokens([{ file: tokenFile, gateway: GATEWAY }]),
  log: listLog(),
  timings: { pingEveryMs: 50, commitEveryMs: 1 },
})
push.endpoints(reads({ [BOOKS]: ['10.0.0.1'] }))
offer(push, SAMPLES, '1001', null)

const lines: Line[] = []
const plane = dataPlane()

function stream(signal: AbortSignal): ReturnType<typeof runStream> {
  const controller = `https://127.0.0.1:${push.port}`
  const waits = { silenceMs: 10_000, connectWithinMs: 10_000 }
  return runStream(
    { controller, caFile, tokenFile, ...waits, signal },
    {
      resume() {
        const up = plane.apply.resume(DATA_PLANE)
        lines.push({ stream: 'opens' }, { up })
        return up
      },
      async take(heard) {
        if (heard.kind === 'frame') lines.push({ down: heard.frame })
        const reply = await plane.apply.take(heard)
        const up = saidIn(reply)
        if (up !== null) lines.push({ up })
        return reply
      },
    },
  )
}

const first = new AbortController()
const running = stream(first.signal)
await play(push, plane, lines)
first.abort()
await running
// A second stream resumes where the first one was.
const second = new AbortController()
const resumed = stream(second.signal)
const acks = (): number => lines.filter((line) => 'up' in line && line.up.type === 'ack').length
const before = acks()
await until('it resumed', () => acks() > before)
second.abort()
await resumed
await push.close()
await rm(folder, { recursive: true })

await mkdir(RECORDED, { recursive: true })
const name = join(RECORDED, `v${WIRE_VERSION}`)
await writeFile(`${name}.ndjson`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
await writeFile(`${name}.table.json`, `${JSON.stringify(plane.result(), null, 2)}\n`)
