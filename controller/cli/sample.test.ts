/**
 * Promises of sample.ts: real requests.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createSamples } from './sample.ts'

async function sample(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-sample-'))
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, 'fixtures', 'shop', 'books', file)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
  }
  const samples = createSamples(folder)
  t.after(async () => {
    await samples.close()
    await rm(folder, { recursive: true })
  })
  await samples.ensure(['shop/books:80'])
  const [endpoint] = samples.endpointsOf('shop/books:80') ?? []
  return `http://127.0.0.1:${endpoint?.port}`
}

test('a fixture answers with its type and its status', async (t) => {
  const url = await sample(t, {
    'books/1.json': '{"id":1}',
    'books/2.503.json': '{"error":"away"}',
    'index.txt': 'hello',
  })
  const one = await fetch(`${url}/books/1`)
  assert.equal(one.status, 200)
  assert.equal(one.headers.get('content-type'), 'application/json')
  assert.deepEqual(await one.json(), { id: 1 })
  assert.equal((await fetch(`${url}/books/2`)).status, 503)
  assert.equal(await (await fetch(url)).text(), 'hello')
})

test('without a fixture the request is echoed', async (t) => {
  const url = await sample(t, {})
  const answer = await fetch(`${url}/any/thing?x=1`, { method: 'POST', body: 'text' })
  const echo = (await answer.json()) as Record<string, unknown>
  assert.deepEqual(
    [echo['service'], echo['method'], echo['path'], echo['query'], echo['body']],
    ['shop/books', 'POST', '/any/thing', 'x=1', 'text'],
  )
})

test('no path leads out of the fixtures', async (t) => {
  const url = await sample(t, { '../../../secret.txt': 'secret' })
  for (const path of ['/..%2f..%2fsecret', '/%2e%2e/%2e%2e/secret', '/.../secret', '/books%00']) {
    const text = await (await fetch(`${url}${path}`)).text()
    assert.match(text, /"service": "shop\/books"/, path)
  }
})

test('a slow fixture lets its client wait, and leaves nothing behind when that one has gone', async (t) => {
  const url = await sample(t, { 'books/slow.slow.json': '{"id":1}' })
  const signal = AbortSignal.timeout(50)
  await assert.rejects(fetch(`${url}/books/slow`, { signal }), { name: 'TimeoutError' })
  const answer = await fetch(`${url}/books/slow`)
  assert.deepEqual(await answer.json(), { id: 1 })
})
