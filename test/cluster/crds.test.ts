/**
 * The API server takes our kinds, and refuses what a folder refuses.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { KINDS } from '../../crds/kinds.ts'
import { isRecord } from '../../crds/inspect.ts'
import { textAt } from '../../controller/kube/fields.ts'
import { BAD_OBJECTS } from '../bad-objects/all.ts'
import { twiceTheCost } from '../bad-objects/cost.ts'
import { difference, serverAnswer } from '../bad-objects/refusal.ts'
import { startCluster } from './cluster.ts'
import { pathOf } from './objects.ts'
import { installKinds } from './stage.ts'

const manifests = join(import.meta.dirname, '..', '..', 'crds', 'manifests')
const goodFile = join(import.meta.dirname, '..', 'bad-objects', 'good.yaml')
const STRICT = { dryRun: 'All', fieldValidation: 'Strict' }
/** Each costs the API server some milliseconds; it is not asked for all at once. */
const AT_ONCE = 8

const ending = { after }
const starting = (async () => {
  const cluster = await startCluster(ending)
  await installKinds(cluster)
  const optional = join(manifests, 'optional')
  await cluster.kubectl(['apply', '--server-side', '-f', optional])
  await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=30s', '-f', optional])
  return { cluster, api: cluster.api }
})()

async function create(object: unknown) {
  const { api } = await starting
  const request = { method: 'POST', path: pathOf(object), query: STRICT, body: object } as const
  const { status, body } = await api.request(request)
  return serverAnswer(status, body)
}

test('a real API server serves every kind, with its short name', async () => {
  const { cluster } = await starting
  const kinds = await cluster.kubectl(['api-resources', '--api-group=fairlead.dev'])
  const own = Object.values(KINDS).filter(({ group }) => group === 'fairlead.dev')
  for (const { plural, shortNames } of own) {
    assert.match(kinds, new RegExp(`^${plural} +${shortNames.join()} `, 'm'))
  }
  const category = await cluster.kubectl(['api-resources', '--categories=fairlead', '-o', 'name'])
  assert.equal(category.trim().split('\n').length, Object.keys(KINDS).length)
})

test('a real API server takes every field of every kind', async () => {
  const documents = parseAllDocuments(readFileSync(goodFile, 'utf8'))
  for (const document of documents) {
    const object: unknown = document.toJS()
    const answer = await create(object)
    assert.equal(answer.status, 201, `${textAt(object, 'kind')}: ${answer.message}`)
  }
})

test('a real API server refuses what a folder refuses, and says it as well', async () => {
  const left = [...BAD_OBJECTS]
  const differences: string[] = []
  const ask = async (): Promise<void> => {
    for (let bad = left.pop(); bad !== undefined; bad = left.pop()) {
      const found = difference(bad, await create(bad.object))
      if (found !== null) differences.push(`${bad.name}: ${found}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, ask))
  assert.deepEqual(differences, [])
})

test('the rules of each kind cost at most half of what the API server allows', async () => {
  const { api } = await starting
  for (const file of readdirSync(manifests).filter((name) => name.endsWith('.yaml'))) {
    const definition: unknown = twiceTheCost(parse(readFileSync(join(manifests, file), 'utf8')))
    const { status, body } = await api.request({
      method: 'PUT',
      path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${textAt(definition, 'metadata', 'name')}`,
      query: { dryRun: 'All' },
      body: await withVersion(definition),
    })
    assert.equal(status, 200, `${file}: ${textAt(body, 'message')}`)
  }
})

/** A replacement names what it replaces. */
async function withVersion(definition: unknown): Promise<object> {
  const { api } = await starting
  const name = textAt(definition, 'metadata', 'name')
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`
  const { body } = await api.request({ method: 'GET', path })
  const resourceVersion = textAt(body, 'metadata', 'resourceVersion')
  assert.ok(isRecord(definition))
  return { ...definition, metadata: { name, resourceVersion } }
}
