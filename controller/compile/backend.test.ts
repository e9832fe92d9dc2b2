/**
 * Services as backends.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { RuleBackend } from '../../crds/api-route.ts'
import { compileBackends } from './backend.ts'
import { grant, resource, service, world } from './fake/world.ts'
import { FieldPath } from './problem.ts'
import type { StepWithin } from './steps.ts'

const AT = new FieldPath<readonly RuleBackend[]>('spec.rules[0].backends')

function compile(
  specs: readonly RuleBackend[],
  within: StepWithin,
): ReturnType<typeof compileBackends> {
  return compileBackends(specs, AT, { ...within, expressions: { place: 'policy' } })
}

const BOOKS = service('books', [
  { name: 'http', port: 80 },
  { name: 'grpc', port: 81, appProtocol: 'kubernetes.io/h2c' },
  { name: 'tls', port: 443, appProtocol: 'https' },
  { name: 'dns', port: 53, protocol: 'UDP' },
])

test('a port of a Service becomes a backend with its protocol and its cluster address', () => {
  const { value, problems } = compile(
    [{ service: { name: 'books', port: 80 }, weight: 9 }, { service: { name: 'books', port: 81 } }],
    world([BOOKS]),
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(value.weighted, [
    { when: null, weight: 9, to: { kind: 'backend', backend: 'shop/books:80' } },
    { when: null, weight: 1, to: { kind: 'backend', backend: 'shop/books:81' } },
  ])
  assert.deepEqual(
    [...value.backends],
    [
      ['shop/books:80', { protocol: 'http', clusterAddress: '10.96.0.7:80' }],
      ['shop/books:81', { protocol: 'h2c', clusterAddress: '10.96.0.7:81' }],
    ],
  )
})

test('a headless Service has no cluster address, an IPv6 one is in brackets', () => {
  const within = world([
    service('books', [{ port: 80 }], { clusterIP: 'None' }),
    service('six', [{ port: 80 }], { clusterIP: 'fd00::7' }),
  ])
  const { value } = compile(
    [{ service: { name: 'books', port: 80 } }, { service: { name: 'six', port: 80 } }],
    within,
  )
  const addresses = [...value.backends.values()].map((backend) => backend.clusterAddress)
  assert.deepEqual(addresses, [null, '[fd00::7]:80'])
})

test('a backend that cannot be resolved keeps its weight', () => {
  const { value, problems } = compile(
    [
      { service: { name: 'books', port: 80 }, weight: 9 },
      { service: { name: 'boks', port: 80 }, weight: 1 },
      { service: { name: 'books', port: 8080 }, weight: 3 },
    ],
    world([BOOKS]),
  )
  assert.deepEqual(
    value.weighted.map(({ weight, to }) => [weight, to.kind]),
    [
      [9, 'backend'],
      [1, 'reject'],
      [3, 'reject'],
    ],
  )
  assert.deepEqual(
    problems.map(({ path, reason }) => [path.replace('spec.rules[0].backends', ''), reason]),
    [
      ['[1].service.name', 'BackendNotFound'],
      ['[2].service.port', 'BackendNotFound'],
    ],
  )
  assert.match(problems[1]?.sentence ?? '', /It has 80, 81, 443\./)
})

test('what a client of such a share reads names no Service', () => {
  const { value } = compile([{ service: { name: 'secret-name', port: 80 } }], world())
  const to = value.weighted[0]?.to
  assert.ok(to?.kind === 'reject' && to.cause === 'backend-invalid')
  assert.doesNotMatch(to.because, /secret-name/)
})

test('protocols and Services that cannot be spoken to are refused', () => {
  const external = service('ext', [{ port: 80 }], { type: 'ExternalName', externalName: 'a.b' })
  const within = world([BOOKS, external])
  const sentenceOf = (name: string, port: number): string =>
    compile([{ service: { name, port } }], within).problems[0]?.sentence ?? ''
  assert.match(sentenceOf('books', 443), /appProtocol https/)
  assert.match(sentenceOf('books', 53), /no TCP port 53/)
  assert.match(sentenceOf('ext', 80), /ExternalName/)
})

test('a Service of another namespace needs a grant there', () => {
  const other = service('books', [{ port: 80 }], { namespace: 'other' })
  const refs = [{ service: { name: 'books', namespace: 'other', port: 80 } }]
  const refused = compile(refs, world([other]))
  assert.equal(refused.value.weighted[0]?.to.kind, 'reject')
  assert.equal(refused.problems[0]?.reason, 'RefNotPermitted')
  assert.equal(refused.problems[0]?.path, 'spec.rules[0].backends[0].service.namespace')
  const permit = grant('other', 'ApiRoute', { group: '', kind: 'Service' })
  const granted = compile(refs, world([other, permit]))
  assert.deepEqual(granted.problems, [])
  assert.deepEqual([...granted.value.backends.keys()], ['other/books:80'])
})

test('in a folder a Service that is not there gets the sample backend', () => {
  const { value, problems } = compile(
    [{ service: { name: 'books', port: 80 } }],
    world([], { unresolvedServices: 'sample' }),
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    [...value.backends],
    [['shop/books:80', { protocol: 'http', clusterAddress: null }]],
  )
})

test('somebody must answer where no condition holds', () => {
  const ref = { service: { name: 'books', port: 80 } }
  const only = compile([{ ...ref, when: '"beta" in auth.groups' }], world([BOOKS]))
  assert.match(only.problems[0]?.sentence ?? '', /nobody answers where none is true/)
  const zero = compile(
    [
      { ...ref, weight: 0 },
      { ...ref, when: 'true' },
    ],
    world([BOOKS]),
  )
  assert.match(zero.problems[0]?.sentence ?? '', /weight 0/)
  const fine = compile([{ ...ref, weight: 0 }, ref, { ...ref, when: 'true' }], world([BOOKS]))
  assert.deepEqual(fine.problems, [])
})

test('a broken condition is told where it stands', () => {
  const ref = { service: { name: 'books', port: 80 } }
  const { problems } = compile([ref, { ...ref, when: 'auth.' }], world([BOOKS]))
  assert.equal(problems[0]?.path, 'spec.rules[0].backends[1].when')
})

test('whatever stands in a Service, its share is served or rejects', () => {
  const spec = fc.record({
    type: fc.anything(),
    clusterIP: fc.anything(),
    ports: fc.oneof(fc.anything(), fc.array(fc.oneof(fc.anything(), fc.constant({ port: 80 })))),
  })
  fc.assert(
    fc.property(fc.oneof(fc.anything(), spec), (written) => {
      const within = world([resource('Service', 'books', { spec: written })])
      const { value } = compile([{ service: { name: 'books', port: 80 } }], within)
      assert.ok(value.weighted[0] !== undefined)
    }),
  )
})
