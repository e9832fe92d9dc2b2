/**
 * Endpoints of a backend: real EndpointSlices, and a plain twin on generated ones.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ENDPOINTS_MAX } from '#wire/limits'
import type { Endpoint } from '#wire/session'
import {
  backendKey,
  backendName,
  type EndpointReads,
  endpointsOf,
  endpointsOfEach,
} from './endpoints.ts'
import type { Kind, Namespaced, Resource } from './snapshot.ts'

interface SliceEndpoint {
  addresses: string[]
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }
  zone?: string
}
interface SliceContent {
  addressType: string
  ports: { name?: string; port?: number | null; protocol?: string }[]
  endpoints: SliceEndpoint[]
}

function resource(kind: Kind, name: string, content: object, labels = {}): Resource {
  return {
    kind,
    namespace: 'shop',
    name,
    uid: `${kind}-${name}`,
    generation: 1,
    resourceVersion: '1',
    createdMs: 0,
    labels,
    annotations: {},
    content: { ...content },
    secrets: null,
  }
}

function slice(name: string, content: Partial<SliceContent>, service = 'books'): Resource {
  const whole = {
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [],
    ...content,
  }
  return resource('EndpointSlice', name, whole, { 'kubernetes.io/service-name': service })
}

const BOOKS = resource('Service', 'books', {
  spec: {
    ipFamilies: ['IPv4'],
    ports: [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'admin', port: 9000, targetPort: 'admin' },
      { name: 'dns', port: 80, protocol: 'UDP' },
    ],
  },
})

function reads(objects: readonly Resource[]): EndpointReads {
  const of = (kind: Kind): Namespaced => {
    const named = objects.flatMap((o) => (o.kind === kind ? [[o.name, o] as const] : []))
    return new Map([['shop', new Map(named)]])
  }
  return { kinds: { Service: of('Service'), EndpointSlice: of('EndpointSlice') } }
}

function texts(key: string, objects: readonly Resource[]): readonly string[] {
  return endpointsOf(key, reads(objects)).map((e) => `${e.address}:${e.port}`)
}

test('a backend is named by namespace, service and port', () => {
  const name = { namespace: 'shop', service: 'books', port: '80' }
  assert.equal(backendKey(name), 'shop/books:80')
  assert.deepEqual(backendName('shop/books:80'), name)
})

test('ready endpoints are found by the name of the Service port', () => {
  const one = slice('books-1', {
    ports: [
      { name: 'admin', port: 9443 },
      { name: 'http', port: 8080 },
    ],
    endpoints: [{ addresses: ['10.0.0.2'] }, { addresses: ['10.0.0.1'], conditions: {} }],
  })
  const other = slice('other-1', { endpoints: [{ addresses: ['10.9.9.9'] }] }, 'other')
  assert.deepEqual(texts('shop/books:80', [BOOKS, one, other]), ['10.0.0.1:8080', '10.0.0.2:8080'])
  assert.deepEqual(texts('shop/books:9000', [BOOKS, one]), ['10.0.0.1:9443', '10.0.0.2:9443'])
  assert.deepEqual(texts('shop/books:81', [BOOKS, one]), [])
})

test('each slice may serve the named port by another number', () => {
  const blue = slice('a', {
    ports: [{ name: 'http', port: 8080 }],
    endpoints: [{ addresses: ['10.0.0.1'] }],
  })
  const green = slice('b', {
    ports: [{ name: 'http', port: 8081 }],
    endpoints: [{ addresses: ['10.0.0.2'] }],
  })
  assert.deepEqual(texts('shop/books:80', [BOOKS, blue, green]), ['10.0.0.1:8080', '10.0.0.2:8081'])
})

test('an endpoint that is leaving serves only where nothing else is ready', () => {
  const leaving = { ready: false, serving: true, terminating: true }
  const down = { ready: false, serving: false, terminating: true }
  const starting = { ready: false, serving: true, terminating: false }
  const one = slice('a', {
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: leaving },
      { addresses: ['10.0.0.2'], conditions: down },
      { addresses: ['10.0.0.3'], conditions: starting },
    ],
  })
  const two = slice('b', { endpoints: [{ addresses: ['10.0.0.4'], conditions: { ready: true } }] })
  assert.deepEqual(texts('shop/books:80', [BOOKS, one]), ['10.0.0.1:8080'])
  assert.deepEqual(texts('shop/books:80', [BOOKS, one, two]), ['10.0.0.4:8080'])
})

test('the first family of a dual-stack Service counts, the other where it has nothing', () => {
  const six = slice('six', { addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] })
  const four = slice('four', { endpoints: [{ addresses: ['10.0.0.1'] }] })
  const names = slice('fqdn', { addressType: 'FQDN', endpoints: [{ addresses: ['x.example'] }] })
  assert.deepEqual(texts('shop/books:80', [BOOKS, six, four, names]), ['10.0.0.1:8080'])
  assert.deepEqual(texts('shop/books:80', [BOOKS, six]), ['fd00::1:8080'])
})

test('a folder without the Service finds endpoints by port number or by name', () => {
  const one = slice('a', { endpoints: [{ addresses: ['127.0.0.1'] }] })
  assert.deepEqual(texts('shop/books:8080', [one]), ['127.0.0.1:8080'])
  assert.deepEqual(texts('shop/books:80', [one]), ['127.0.0.1:8080'], 'its only port')
  assert.deepEqual(texts('shop/books:http', [one]), ['127.0.0.1:8080'])
  assert.deepEqual(texts('shop/books:grpc', [one]), [])
})

test('a slice that leaves its port open takes the target port of the Service', () => {
  const open = slice('a', {
    ports: [{ name: 'http', port: null }],
    endpoints: [{ addresses: ['10.0.0.1'] }],
  })
  assert.deepEqual(texts('shop/books:80', [BOOKS, open]), ['10.0.0.1:8080'])
})

test('the set ends at the limit of the contract', () => {
  const many = Array.from({ length: 6 }, (_, s) =>
    slice(`s${s}`, {
      endpoints: Array.from({ length: 1000 }, (__, i) => ({
        addresses: [`10.${s}.${i >> 8}.${i & 255}`],
      })),
    }),
  )
  const found = endpointsOf('shop/books:80', reads([BOOKS, ...many]))
  assert.equal(found.length, ENDPOINTS_MAX)
  assert.deepEqual(found, endpointsOf('shop/books:80', reads([BOOKS, ...many.toReversed()])))
})

test('zones are kept', () => {
  const one = slice('a', { endpoints: [{ addresses: ['10.0.0.1'], zone: 'b' }] })
  assert.deepEqual(endpointsOf('shop/books:80', reads([BOOKS, one])), [
    { address: '10.0.0.1', port: 8080, zone: 'b' },
  ])
})

/** What the promise says, in the order of the sentence and with no index anywhere. */
function plain(port: string, contents: readonly SliceContent[]): readonly Endpoint[] {
  const all = contents.flatMap((content) => {
    const found = content.ports.find((p) => p.name === port && p.protocol !== 'UDP')
    const number = found?.port ?? null
    if (number === null || content.addressType === 'FQDN') return []
    return content.endpoints.map((e) => ({ e, number, family: content.addressType }))
  })
  const ready = all.filter(({ e }) => e.conditions?.ready ?? true)
  const leaving = all.filter(
    ({ e }) => e.conditions?.ready === false && e.conditions.serving && e.conditions.terminating,
  )
  const pool = ready.length > 0 ? ready : leaving
  const four = pool.filter(({ family }) => family === 'IPv4')
  const counted = four.length > 0 ? four : pool
  const endpoints = counted.flatMap(({ e, number }) => {
    const address = e.addresses[0]
    return address === undefined ? [] : [{ address, port: number, zone: e.zone ?? null }]
  })
  const names = [...new Set(endpoints.map(textOf))].toSorted()
  return names.flatMap((name) => {
    const same = endpoints.filter((e) => textOf(e) === name)
    const zone = same
      .map((e) => e.zone ?? '')
      .toSorted()
      .at(-1)
    return same.slice(0, 1).map((e) => ({ ...e, zone: zone === '' ? null : (zone ?? null) }))
  })
}

function textOf(endpoint: Endpoint): string {
  return `${endpoint.address} ${endpoint.port}`
}

const condition = fc.option(fc.boolean(), { nil: undefined })
const conditions = fc
  .record({ ready: condition, serving: condition, terminating: condition })
  .map((values) => Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)))
const sliceContent: fc.Arbitrary<SliceContent> = fc.record({
  addressType: fc.constantFrom('IPv4', 'IPv6', 'FQDN'),
  ports: fc.array(
    fc.record({
      name: fc.constantFrom('http', 'admin'),
      port: fc.integer({ min: 8000, max: 8002 }),
      protocol: fc.constantFrom('TCP', 'TCP', 'UDP'),
    }),
    { maxLength: 2 },
  ),
  endpoints: fc.array(
    fc
      .record({
        last: fc.integer({ min: 1, max: 6 }),
        conditions,
        zone: fc.constantFrom('', 'a', 'b'),
      })
      .map(({ last, conditions: c, zone }) => ({
        addresses: [`10.0.0.${last}`],
        conditions: c,
        ...(zone === '' ? {} : { zone }),
      })),
    { maxLength: 4 },
  ),
})

test('whatever stands in a slice or a Service, there is an answer', () => {
  const strange = fc.oneof(
    fc.anything(),
    fc.record({
      addressType: fc.constant('IPv4'),
      ports: fc.oneof(fc.anything(), fc.array(fc.anything())),
      endpoints: fc.oneof(fc.anything(), fc.array(fc.anything())),
      spec: fc.oneof(fc.anything(), fc.record({ ports: fc.array(fc.anything()) })),
    }),
  )
  fc.assert(
    fc.property(strange, strange, (one, other) => {
      const content = typeof one === 'object' && one !== null ? one : {}
      const spec = typeof other === 'object' && other !== null ? other : {}
      const labels = { 'kubernetes.io/service-name': 'books' }
      const objects = [
        resource('EndpointSlice', 'a', content, labels),
        resource('Service', 'books', spec),
      ]
      for (const endpoint of endpointsOf('shop/books:80', reads(objects))) {
        assert.equal(typeof endpoint.address, 'string')
      }
      assert.ok(Array.isArray(endpointsOf('shop/books:http', reads(objects.slice(0, 1)))))
    }),
  )
})

test('agrees with the plain twin on generated slices', () => {
  fc.assert(
    fc.property(
      fc.array(sliceContent, { maxLength: 5 }),
      fc.infiniteStream(fc.nat()),
      (list, at) => {
        const slices = list.map((content, i) => slice(`s${i}`, content))
        const shuffled = slices
          .map((s) => ({ s, rank: at.next().value ?? 0 }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ s }) => s)
        const expected = plain('http', list)
        assert.deepEqual(endpointsOf('shop/books:80', reads([BOOKS, ...slices])), expected)
        const each = endpointsOfEach(['shop/books:80'], reads([BOOKS, ...shuffled]))
        assert.deepEqual(each.get('shop/books:80'), expected)
      },
    ),
  )
})

test('what is no address is no endpoint, and what is no zone is none', () => {
  const strange = [
    'a b',
    '10.0.0.1/8',
    'books.example.com',
    'fe80::1% a',
    '10.0.0.1\n',
    '9'.repeat(300),
  ]
  const endpoints = [...strange, '10.0.0.1'].map((address) => ({
    addresses: [address],
    zone: 'z'.repeat(9_000),
  }))
  const expected = [{ address: '10.0.0.1', port: 8080, zone: null }]
  assert.deepEqual(
    endpointsOf('shop/books:80', reads([BOOKS, slice('a', { endpoints })])),
    expected,
  )
})
