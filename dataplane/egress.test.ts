/**
 * Proves egress.ts.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createCertificates, trustOf } from '../controller/push/certificate.ts'
import { Egress, type EgressOptions } from './egress.ts'
import { IssuerServer, type Mood } from './sync/fake/issuer-server.ts'

const BOUNDS = { timeoutMs: 5_000, bytesMax: 64 * 1024 }
/** For issuers that never end what they began. */
const IMPATIENT = { ...BOUNDS, timeoutMs: 300 }
const server = await IssuerServer.start()
const names = ['id.example.com']
const certificates = await createCertificates(names, Date.now())
const secure = await IssuerServer.start(certificates.server)
after(() => Promise.all([server.stop(), secure.stop()]))

function egress(options: Partial<EgressOptions> = {}): Egress {
  return new Egress({ loopback: 'allow', ownPorts: () => [], ...options })
}

async function said(url: string, one = egress(), bounds = BOUNDS): Promise<string> {
  const fetched = await one.get(url, bounds)
  return fetched.kind === 'fetched' ? fetched.bytes.toString() : fetched.because
}

test('an answer is read whole', async () => {
  assert.equal(await said(`${server.url}/keys?a=b`), '{"keys":[]}')
  assert.equal(server.asked.at(-1), '/keys?a=b')
})

const MOODS: readonly (readonly [Mood, RegExp])[] = [
  ['error', /status 500/],
  ['huge', /UND_ERR_RES_EXCEEDED_MAX_SIZE|more than/],
  ['slow', /in time|UND_ERR_HEADERS_TIMEOUT/],
  ['dripping', /in time|UND_ERR_BODY_TIMEOUT/],
  ['hangUp', /UND_ERR_SOCKET|ECONNRESET/],
  ['encoded', /coding/],
]
for (const [mood, expected] of MOODS) {
  test(`an issuer that is ${mood} gives a reason, without a byte of its answer`, async (t) => {
    t.after(() => {
      server.mood = 'well'
    })
    server.mood = mood
    const bounds = mood === 'slow' || mood === 'dripping' ? IMPATIENT : BOUNDS
    const reason = await said(`${server.url}/keys`, egress(), bounds)
    assert.match(reason, expected)
    assert.doesNotMatch(reason, /secret/)
  })
}

test('a redirect is an answer like any other, and not the one wanted', async (t) => {
  t.after(() => {
    server.mood = 'well'
  })
  server.mood = 'redirect'
  const before = server.asked.length
  assert.match(await said(`${server.url}/keys`), /status 302/)
  assert.equal(server.asked.length, before + 1)
})

test('a connection goes only where the address may be called', async () => {
  const before = server.asked.length
  assert.match(await said(server.url, egress({ loopback: 'refuse' })), /this machine/)
  assert.match(await said(server.url, egress({ ownPorts: () => [server.port] })), /this data plane/)
  const rebound = egress({ loopback: 'refuse', resolve: () => Promise.resolve(['127.0.0.1']) })
  assert.match(await said(`http://id.example.com:${server.port}/`, rebound), /this machine/)
  const inside = egress({ resolve: () => Promise.resolve(['10.255.255.1']) })
  assert.match(await said('https://id.example.com/', inside), /private/)
  assert.match(await said('http://169.254.169.254/latest/meta-data'), /never/)
  assert.match(await said('http://0x7f.1:1/', egress({ loopback: 'refuse' })), /this machine/)
  assert.match(await said('http://[::ffff:169.254.169.254]/'), /never/)
  assert.equal(server.asked.length, before)
})

test('each connection asks for the name anew, and takes an address that may be called', async () => {
  const answers = [['169.254.169.254', '127.0.0.1'], ['169.254.169.254'], []]
  const resolve = () => Promise.resolve(answers.shift() ?? [])
  const one = egress({ resolve })
  const url = `http://id.example.com:${server.port}/keys`
  assert.equal(await said(url, one), '{"keys":[]}')
  assert.match(await said(url, one), /never/)
  assert.match(await said(url, one), /without address/)
})

test('what the operator allows is allowed from then on', async () => {
  const one = egress({ resolve: () => Promise.resolve(['10.255.255.1']) })
  assert.match(await said('http://id.internal.example.com:1/', one), /private/)
  one.allow(['id.internal.example.com'])
  assert.doesNotMatch(await said('http://id.internal.example.com:1/', one), /private/)
})

test('what is no URL of the web, or holds credentials, is not called', async () => {
  for (const url of ['file:///etc/passwd', 'ftp://id.example.com/', 'http://u:p@127.0.0.1/', 'x']) {
    assert.match(await said(url), /not an http or https URL/)
  }
})

test('nobody listens: a reason, and no more than the code', async () => {
  assert.match(await said('http://127.0.0.1:1/'), /^cannot be read \(ECONNREFUSED\)$/)
})

test('a certificate must be trusted, and name the host and not its address', async (t) => {
  const one = egress({ resolve: () => Promise.resolve(['127.0.0.1']) })
  const right = `https://id.example.com:${secure.port}/keys`
  assert.match(await said(right, one), /SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER/)
  const before = getCACertificates('default')
  t.after(() => setDefaultCACertificates(before))
  setDefaultCACertificates([...before, trustOf(certificates)])
  assert.equal(await said(right, one), '{"keys":[]}')
  assert.match(await said(`https://other.example.com:${secure.port}/keys`, one), /ALTNAME/)
  assert.match(await said(`https://127.0.0.1:${secure.port}/keys`), /ALTNAME/)
})

test('a host whose addresses are known is called there and is not looked up', async () => {
  const { port } = new URL(server.url)
  const url = `http://id.shop.svc:${port}/keys`
  const at = { url: 'http://id.shop.svc/', addresses: ['127.0.0.1'] }
  const asked: string[] = []
  const one = egress({
    resolve: async (host) => {
      asked.push(host)
      return []
    },
  })
  const fetched = await one.get(url, { ...BOUNDS, at })
  assert.equal(fetched.kind, 'fetched')
  assert.deepEqual(asked, [])
  const other = await one.get(`http://id.other.svc:${port}/keys`, { ...BOUNDS, at })
  assert.deepEqual([other.kind, asked], ['failed', ['id.other.svc']])
})
