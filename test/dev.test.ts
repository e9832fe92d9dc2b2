/**
 * `fairlead dev` as a new user meets it: the bookshop, its lines to try, and what goes wrong.
 */
import assert from 'node:assert/strict'
import { chmod, cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { output } from './cluster/cluster.ts'
import { type Fairlead, fairlead } from './fake/fairlead.ts'

const bookshop = join(import.meta.dirname, '..', 'examples', 'bookshop')
const ANY_PORTS = ['--http', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--workers', '1']

async function folder(t: TestContext, from: string | null = null): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'fairlead-dev-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  const skipped = join(bookshop, '.fairlead')
  if (from !== null)
    await cp(from, path, { recursive: true, filter: (source) => source !== skipped })
  return path
}

function started(
  t: TestContext,
  args: readonly string[],
  env: Record<string, string> = {},
): Fairlead {
  const running = fairlead(args, env)
  t.after(() => running.stop())
  return running
}

const ROUTE = `apiVersion: fairlead.dev/v1alpha1
kind: ApiRoute
metadata: { name: a }
spec:
  rules:
  - name: one
    public: true
    match: [{ path: /a }]
    respond: { status: 200, body: one }
`

/** The commands of the printed block, each with what its output must show. */
const SHOWN: readonly RegExp[] = [
  /HTTP\/1\.1 200 OK[\s\S]*"The Art of Belaying"/,
  /HTTP\/1\.1 401 [\s\S]*x-fairlead-cause: unauthenticated/,
  /HTTP\/1\.1 200 OK[\s\S]*"customer": "c1"/,
  /(HTTP\/1\.1 200 OK[\s\S]*){3}HTTP\/1\.1 429 [\s\S]*retry-after: \d+/,
  /HTTP\/1\.1 200 OK[\s\S]*aggregate-status: partial;failed="stock"[\s\S]*"_errors":\[/,
  /HTTP\/1\.1 200 OK[\s\S]*pong, pong/,
]

test('the lines that make run prints do what they say', async (t) => {
  const shop = await folder(t, bookshop)
  const running = started(t, ['dev', shop, ...ANY_PORTS])
  await running.printed(/\/ping\n/)
  assert.match(running.output(), /^Fairlead serves .* at http:\/\/127\.0\.0\.1:\d+ {2}\(probes/)
  assert.match(running.output(), /shop\/shop +Accepted +Programmed/)
  const block = running.output().split('To try, in another terminal:\n')[1] ?? ''
  const lines = block.split('\n').filter((line) => /^ {2}(curl|for|sed) /.test(line))
  assert.equal(lines.length, SHOWN.length)
  assert.doesNotMatch(block, /sed -i /, 'where sed is not that of GNU, -i takes the next word')
  for (const [i, line] of lines.entries()) {
    const shown = await output('bash', ['-c', line])
    assert.match(shown, SHOWN[i] ?? /^$/, line)
  }
  assert.equal(await running.stop(), 0)
})

test('what is broken is listed at its place, and the rest is served', async (t) => {
  const mixed = await folder(t)
  await writeFile(join(mixed, 'a.yaml'), ROUTE)
  await writeFile(
    join(mixed, 'b.yaml'),
    ROUTE.replace('name: a ', 'name: b ').replace('match:', 'matches:'),
  )
  const running = started(t, ['dev', mixed, ...ANY_PORTS])
  const [, url = ''] = await running.printed(/at (http:\/\/\S+)/)
  await running.printed(/UnknownField b\.yaml:8:5 .*matches\n.*did you mean match\?/)
  assert.equal(await (await fetch(`${url}/a`)).text(), 'one')
})

test('--quiet tells problems, and nothing else', async (t) => {
  const shop = await folder(t)
  await writeFile(join(shop, 'a.yaml'), ROUTE)
  await writeFile(join(shop, 'b.yaml'), ROUTE.replace('name: a ', 'name: b ').replace('h:', 'hs:'))
  const running = started(t, ['dev', shop, ...ANY_PORTS, '--quiet'])
  await running.printed(/UnknownField b\.yaml:8:5/)
  await writeFile(join(shop, 'c.yaml'), ROUTE.replace('name: a ', 'name: c ').replace('h:', 'hs:'))
  await running.printed(/UnknownField c\.yaml:8:5/)
  assert.doesNotMatch(running.output(), /Fairlead serves|ApiRoute default\/a|To try/)
})

test('an empty folder says what there should be', async (t) => {
  const running = started(t, ['dev', await folder(t), ...ANY_PORTS])
  assert.equal(await running.exit, 1)
  assert.match(running.output(), /there is no ApiRoute in \S+; examples\/bookshop shows/)
})

test('a folder in which nothing works ends with the problems and exit code 1', async (t) => {
  const broken = await folder(t)
  await writeFile(join(broken, 'b.yaml'), ROUTE.replace('match:', 'matches:'))
  const running = started(t, ['dev', broken, ...ANY_PORTS])
  assert.equal(await running.exit, 1)
  assert.match(running.output(), /b\.yaml:8:5[\s\S]*nothing in .* works yet/)
})

test('an update that breaks the last route leaves it serving, also after a restart', async (t) => {
  const shop = await folder(t)
  await writeFile(join(shop, 'a.yaml'), ROUTE)
  const first = started(t, ['dev', shop, ...ANY_PORTS])
  const [, url = ''] = await first.printed(/at (http:\/\/\S+)/)
  assert.equal(await (await fetch(`${url}/a`)).text(), 'one')
  await writeFile(join(shop, 'a.yaml'), ROUTE.replace('match:', 'matches:'))
  await first.printed(/UnknownField a\.yaml:8:5/)
  assert.equal(await (await fetch(`${url}/a`)).text(), 'one')
  assert.equal(await first.stop(), 0)
  const second = started(t, ['dev', shop, ...ANY_PORTS])
  const [, again = ''] = await second.printed(/at (http:\/\/\S+)/)
  assert.equal(await (await fetch(`${again}/a`)).text(), 'one')
})

test('what the user cannot have is one line and exit code 2', async (t) => {
  const shop = await folder(t)
  await writeFile(join(shop, 'a.yaml'), ROUTE)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => taken.close(resolve)))
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const readable = join(shop, 'readable')
  await mkdir(readable)
  await chmod(readable, 0o755)
  const torn = join(shop, 'torn')
  await writeFile(torn, '{"clusters": [')
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['dev', shop, '--htp', 'x'], /unknown option '--htp' \(Did you mean --http\?\)/],
    [['dev', shop, '--http', 'nowhere'], /--http: "nowhere" is not HOST:PORT/],
    [
      ['dev', shop, '--http', `127.0.0.1:${port}`, '--admin', '127.0.0.1:0'],
      /127\.0\.0\.1:\d+ .*in use/,
    ],
    [['dev', shop, '--http', '127.0.0.1:0', '--admin', `127.0.0.1:${port}`], /in use/],
    [['dev', join(shop, 'none')], /cannot read the folder \S+none: it does not exist/],
    [['dev', join(shop, 'a.yaml')], /is a file/],
    [['dev', shop, '--state', readable], /others can read .*chmod 700/],
    [['dev', shop, '--state', join(shop, 'a.yaml')], /--state: \S+ is a file/],
    [['dev', shop, '--state', join(shop, 'a.yaml', 's')], /--state: cannot make .* not a folder/],
    [['dev', shop, '--redis', 'redis://x'], /--redis: not supported yet/],
    [['dataplane', '--state', readable, '--http', '127.0.0.1:0'], /others .*chmod 700/],
    [['dataplane', '--state', join(shop, 'a.yaml')], /cannot be used: it is not a folder/],
    [['controller', '--kubeconfig', join(shop, 'none')], /--kubeconfig: .*none: it does not exist/],
    [['controller', '--kubeconfig', shop], /--kubeconfig: .*: it is a folder/],
    [
      ['controller', '--kubeconfig', torn],
      /torn:1:15: is no kubeconfig: .*; correct it, or write it anew: kubectl config view/,
    ],
    [['dev'], /missing required argument 'DIR'/],
    [['serve'], /unknown command 'serve'/],
    [['key', 'create'], /--consumer/],
    [[], /name a command/],
  ]
  for (const [args, message] of cases) {
    const running = fairlead(args)
    const code = await running.exit
    assert.match(running.output(), message, args.join(' '))
    assert.doesNotMatch(running.output(), /\bE[A-Z]{4,}\b/, 'words instead of codes')
    assert.equal(code, 2, args.join(' '))
    assert.equal(running.output().trim().split('\n').length, 1, running.output())
  }
  const unknown = fairlead(['dev', shop], { FAIRLEAD_HTPP: 'x' })
  assert.equal(await unknown.exit, 2)
  assert.match(unknown.output(), /unknown variable FAIRLEAD_HTPP; did you mean FAIRLEAD_HTTP\?/)
})

test('the version is that of the package', async () => {
  const running = fairlead(['--version'])
  assert.equal(await running.exit, 0)
  assert.match(running.output(), /^\d+\.\d+\.\d+\n$/)
})

test('a state folder that dataplane makes is closed before compiled code is kept in it', async (t) => {
  const state = join(await folder(t), 'deep', 'state')
  const listening = ['--http', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--workers', '1']
  const nobody = ['--controller', '127.0.0.1:1', '--ca', state, '--token', state]
  const running = started(t, ['dataplane', '--state', state, ...listening, ...nobody])
  await running.printed(/controller/)
  assert.equal((await stat(state)).mode & 0o777, 0o700)
  assert.ok((await readdir(state)).includes('code'), 'where compiled code is kept')
  assert.doesNotMatch(running.output(), /chmod 700/)
  await running.stop('SIGTERM')
})
