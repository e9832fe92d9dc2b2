/**
 * Proves the access log.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { recordOf } from './fake/records.ts'
import { AccessLines } from './log.ts'
import type { ExchangeRecord } from './request/record.ts'

const CHARACTERS = [
  '\n',
  '\r',
  '\u0000',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u007f',
  '"',
  '\\',
  '}',
  ',"status":200',
  'ä',
  '\ud800',
  '💥',
  'a',
]
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...CHARACTERS)).map((parts) => parts.join('')),
)

test('every line is one line and parses, whatever the record holds', () => {
  const record: fc.Arbitrary<Partial<ExchangeRecord>> = fc.record({
    id: text,
    method: text,
    host: text,
    path: text,
    ip: text,
    peer: text,
    userAgent: fc.option(text, { nil: null }),
    route: fc.option(text, { nil: null }),
    rule: fc.option(text, { nil: null }),
    authMethod: fc.option(text, { nil: null }),
    consumer: fc.option(text, { nil: null }),
    cause: fc.option(text, { nil: null }),
    word: fc.option(text, { nil: null }),
    backend: fc.option(text, { nil: null }),
  })
  const lines = new AccessLines()
  fc.assert(
    fc.property(record, (some) => {
      const made = recordOf(some)
      const line = lines.line(made)
      assert.match(line, /^[\x20-\x7e]+\n$/)
      const parsed = JSON.parse(line)
      assert.equal(parsed.status, 200)
      for (const name of [
        'id',
        'method',
        'host',
        'path',
        'ip',
        'peer',
        'userAgent',
        'route',
        'rule',
        'consumer',
        'cause',
        'word',
        'backend',
      ] as const) {
        assert.equal(parsed[name], made[name], name)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('a line says everything that a record does, in names that stay', () => {
  const line = new AccessLines().line(
    recordOf({ cause: 'upstream-reset', fault: 'upstream', status: 502 }),
  )
  assert.deepEqual(JSON.parse(line), {
    time: '2023-11-14T22:13:20.123Z',
    id: '01ABCDEFGHJKMNPQRSTVWXYZ01',
    status: 502,
    cause: 'upstream-reset',
    word: null,
    fault: 'upstream',
    by: 'upstream',
    method: 'GET',
    scheme: 'http',
    host: 'shop.example.com',
    path: '/books/1',
    protocol: '1.1',
    ip: '192.0.2.1',
    peer: '10.0.0.1',
    userAgent: 'curl/8',
    route: 'shop/shop',
    rule: 'shop/shop/books',
    auth: null,
    consumer: null,
    backend: 'shop/books:80',
    durationMs: 1.235,
    upstreamMs: 1,
    bytesIn: 0,
    bytesOut: 5,
    complete: true,
    partial: false,
    observed: [],
  })
})

test('docs/access-log.md and a line name the same fields', () => {
  const page = readFileSync(new URL('../docs/access-log.md', import.meta.url), 'utf8')
  const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((found) => found[1])
  assert.deepEqual(documented, Object.keys(JSON.parse(new AccessLines().line(recordOf()))))
})

test('a line does not depend on those before it', () => {
  const names = [
    'method',
    'host',
    'ip',
    'peer',
    'userAgent',
    'route',
    'rule',
    'authMethod',
  ] as const
  const more = ['consumer', 'cause', 'word', 'backend', 'path', 'id'] as const
  const changes: Partial<ExchangeRecord>[] = [
    { status: 200 },
    { status: 502 },
    { by: 'gateway' },
    { by: 'upstream' },
    { fault: 'client' },
    { fault: null },
    { scheme: 'https' },
    { scheme: 'http' },
    { protocol: '1.0' },
    { protocol: '1.1' },
    { observed: ['x'] },
    { observed: [] },
  ]
  for (const name of [...names, ...more]) changes.push({ [name]: 'a' }, { [name]: 'b' })
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...changes), { maxLength: 12 }), (some) => {
      const lines = new AccessLines()
      let record = recordOf()
      for (const change of some) {
        record = { ...record, ...change }
        assert.equal(lines.line(record), new AccessLines().line(record))
      }
    }),
  )
})

test('the time is that of each record, also when it goes back', () => {
  const lines = new AccessLines()
  for (const atMs of [0, 999, 1_000, 61_001, 5, 1_700_000_000_000]) {
    const { time } = JSON.parse(lines.line(recordOf({ startedAtMs: atMs })))
    assert.equal(time, new Date(atMs).toISOString())
  }
})
