/**
 * Promises of disk.ts and state-file.ts: whatever is in the folder, a start never fails on it, and
 * what is read is a whole table or nothing.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { SAMPLES, tableObject } from '../../test/wire/samples.ts'
import { listLog } from '../../test/wire/world.ts'
import { xorOf } from '#wire/digest'
import type { TableObject } from '#wire/table'
import { StateFolderRefused, openDisk } from './disk.ts'
import type { Disk, StoredTable } from './disk.ts'

const REACHED = { epoch: '2', basis: { ApiRoute: '7' } }

function stored(objects: readonly TableObject[]): StoredTable {
  return { objects, hash: xorOf(objects.map(({ digest }) => digest)), reached: REACHED }
}

const GATEWAY = tableObject('gateway', 'a/b', {
  trustedProxies: [],
  egressAllow: [],
  dataPlanes: 1,
})
const SECRET = tableObject('secret', 'a/s:k', { base64: 'AAAA' })
const SMALL = stored([GATEWAY, SECRET])

interface Folder {
  readonly path: string
  readonly log: ReturnType<typeof listLog>
  readonly disk: Disk
}

async function folder(t: TestContext): Promise<Folder> {
  const parent = await mkdtemp(join(tmpdir(), 'fairlead-disk-'))
  t.after(() => rm(parent, { recursive: true }))
  const path = join(parent, 'state')
  const log = listLog()
  return { path, log, disk: await openDisk({ folder: path, log }) }
}

function sorted(table: StoredTable | null): unknown {
  return table?.objects.toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
}

test('what was written is read again, with its secrets', async (t) => {
  const { path, disk } = await folder(t)
  assert.equal(await disk.readTable(), null)
  assert.equal(await disk.readEndpoints(), null)
  const table = stored(SAMPLES)
  await disk.writeTable(table)
  const read = await disk.readTable()
  assert.deepEqual(sorted(read), sorted(table))
  assert.deepEqual({ ...read, objects: null }, { ...table, objects: null })
  const endpoints = {
    atMs: 1_234,
    sets: [{ backend: 'a/b:80', version: 3, endpoints: [{ address: '::1', port: 1, zone: 'z' }] }],
  }
  await disk.writeEndpoints(endpoints)
  assert.deepEqual(await disk.readEndpoints(), endpoints)
  const files = await readdir(path)
  assert.equal(files.length, 3)
  assert.ok(!files.some((file) => file.endsWith('.new')))
})

test('secrets that did not change are not written again, and old ones go', async (t) => {
  const { path, disk } = await folder(t)
  const secretFiles = async () =>
    (await readdir(path)).filter((file) => file.startsWith('secrets-'))
  await disk.writeTable(SMALL)
  const [first = ''] = await secretFiles()
  const before = await stat(join(path, first))
  await disk.writeTable(
    stored([
      SECRET,
      tableObject('gateway', 'a/b', {
        trustedProxies: [],
        egressAllow: [],
        dataPlanes: 2,
      }),
    ]),
  )
  assert.deepEqual(await secretFiles(), [first])
  assert.equal((await stat(join(path, first))).mtimeMs, before.mtimeMs)
  await disk.writeTable(stored([GATEWAY, tableObject('secret', 'a/s:k', { base64: 'BBBB' })]))
  const after = await secretFiles()
  assert.equal(after.length, 1)
  assert.notEqual(after[0], first)
  await disk.writeTable(stored([GATEWAY]))
  assert.deepEqual(await secretFiles(), [])
})

test('a file cut at any byte is set aside, and nothing of it is used', async (t) => {
  const { path, log, disk } = await folder(t)
  await disk.writeTable(SMALL)
  await disk.writeEndpoints({ atMs: 1, sets: [{ backend: 'a/b:80', version: 1, endpoints: [] }] })
  for (const file of await readdir(path)) {
    const whole = await readFile(join(path, file))
    for (let end = 0; end < whole.length; end += 1) {
      await writeFile(join(path, file), whole.subarray(0, end))
      log.lines.length = 0
      const read = file === 'endpoints.ndjson' ? disk.readEndpoints() : disk.readTable()
      assert.equal(await read, null, `${file} cut at ${end}`)
      assert.equal(log.lines[0]?.level, 'warn')
      assert.deepEqual(await readFile(join(path, `${file}.corrupt`)), whole.subarray(0, end))
    }
    await writeFile(join(path, file), whole)
    assert.deepEqual(sorted(await disk.readTable()), sorted(SMALL))
  }
})

test('a file with any byte changed is set aside, and nothing of it is used', async (t) => {
  const { path, disk } = await folder(t)
  await disk.writeTable(SMALL)
  for (const file of await readdir(path)) {
    const whole = await readFile(join(path, file))
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      await writeFile(join(path, file), changed)
      assert.equal(await disk.readTable(), null, `${file} changed at ${at}`)
    }
    await writeFile(join(path, file), whole)
  }
})

/** A file that is whole, whatever is in it. */
function sealed(lines: readonly object[]): string {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  const end = createHash('sha256').update(text).digest('hex')
  return `${text}${JSON.stringify({ end })}\n`
}

test('a whole file that is not the table it says is set aside', async (t) => {
  const { path, log, disk } = await folder(t)
  const { hash } = stored([GATEWAY])
  const head = { file: 'table', version: 1, ...REACHED, hash, secrets: null }
  const sound = [head, GATEWAY]
  const bad: readonly (readonly object[])[] = [
    [],
    [GATEWAY],
    [head],
    [head, GATEWAY, GATEWAY],
    [head, { ...GATEWAY, key: 'x' }],
    [{ ...head, hash: '0'.repeat(64) }, GATEWAY],
    [{ ...head, version: 2 }, GATEWAY],
    [{ ...head, epoch: 'x' }, GATEWAY],
    [{ ...head, secrets: '../../etc/passwd' }, GATEWAY],
    [{ ...head, secrets: 'table.ndjson' }, GATEWAY],
    [{ ...head, surprise: 1 }, GATEWAY],
    [head, { kind: 'surprise' }],
  ]
  await writeFile(join(path, 'table.ndjson'), sealed(sound))
  assert.notEqual(await disk.readTable(), null)
  for (const lines of bad) {
    await writeFile(join(path, 'table.ndjson'), sealed(lines))
    assert.equal(await disk.readTable(), null, JSON.stringify(lines))
  }
  assert.equal(log.lines.length, bad.length)
  await writeFile(join(path, 'table.ndjson'), `${sealed(sound)}{}\n`)
  assert.equal(await disk.readTable(), null)
})

test('a table whose secrets are missing is not used by halves', async (t) => {
  const { path, log, disk } = await folder(t)
  await disk.writeTable(SMALL)
  const secrets = (await readdir(path)).find((file) => file.startsWith('secrets-')) ?? ''
  await rm(join(path, secrets))
  assert.equal(await disk.readTable(), null)
  assert.match(log.lines[0]?.message ?? '', /its secrets are missing/)
})

test('a state file that cannot be read is no reason to fail', async (t) => {
  const { path, disk } = await folder(t)
  await mkdir(join(path, 'table.ndjson'))
  assert.equal(await disk.readTable(), null)
})

test('a state folder that others can read, or that is none, is refused in one sentence', async (t) => {
  const { path, log } = await folder(t)
  for (const mode of [0o750, 0o704, 0o777, 0o710]) {
    await chmod(path, mode)
    await assert.rejects(openDisk({ folder: path, log }), {
      message: `state folder ${path} can be read by others (mode 0${mode.toString(8)}); run: chmod 700 ${path}`,
    })
  }
  await chmod(path, 0o700)
  await openDisk({ folder: path, log })
  const file = join(path, 'file')
  await writeFile(file, '')
  await assert.rejects(openDisk({ folder: file, log }), StateFolderRefused)
  const below = openDisk({ folder: join(file, 'below'), log })
  await assert.rejects(below, /cannot be used: a part of the path is not a folder/)
  await symlink(path, join(path, 'link'))
  await openDisk({ folder: join(path, 'link'), log })
})
