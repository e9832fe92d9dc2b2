/**
 * The plain twin of capacity: which objects a table has, found by following references in one that
 * is as large as it likes. Used by capacity.test.ts.
 */
import assert from 'node:assert/strict'
import type { Room } from '../../controller/compile/assembly.ts'
import { closedHost, closedRule, closedTls } from '../../controller/compile/closed-host.ts'
import type { CompiledObject, CompiledTable } from '../../controller/compile/compiled.ts'
import { type Aged, olderFirst } from '../../controller/compile/precedence.ts'
import { createSealer } from '../../controller/compile/seal.ts'
import type { Snapshot } from '../../controller/compile/snapshot.ts'
import { createEncoder } from '../../controller/push/encode.ts'
import { objectId, type Rule } from '#wire/table'
import { GATEWAY, named } from './cluster.ts'
import { DEPS } from './world.ts'

const encoder = createEncoder()
const sealer = createSealer(DEPS)

export function bytesOf(object: CompiledObject): number {
  return encoder.bytes(object)
}

export type Objects = Map<string, CompiledObject>
type HostObject = CompiledObject & { readonly kind: 'host' }

/** All that an object needs beside itself, by names alone. */
function needs(all: Objects, object: CompiledObject): readonly string[] {
  switch (object.kind) {
    case 'host':
      return [
        objectId('tls', object.key),
        ...object.value.entries.map(({ rule: key }) => objectId('rule', key)),
      ]
    case 'authenticate':
      return object.value.entries.flatMap((entry) => {
        const own = object.key.slice(0, object.key.indexOf('/'))
        const namespaces = entry.kind === 'apiKey' ? entry.namespaces : [own]
        const pepper = entry.kind === 'apiKey' && entry.pepper !== null ? [entry.pepper] : []
        return [
          ...pepper.map((key) => objectId('secret', key)),
          ...(entry.kind === 'anonymous' ? [] : namespaces.flatMap((one) => consumers(all, one))),
        ]
      })
    case 'rule':
      return [...inRule(object.value), ...backendsIn(object.value)]
    case 'tls':
      return object.value.certificates.map((key) => objectId('certificate', key))
    case 'certificate':
      return [objectId('secret', object.value.privateKey)]
    default:
      return []
  }
}

function inRule({ auth, limits }: Rule): readonly string[] {
  const own = limits.map((key) => objectId('limit', key))
  if (auth.kind !== 'policy') return own
  const units = (['authenticate', 'forward', 'deny'] as const).flatMap((unit) => {
    const key = auth[unit]
    return key === null ? [] : [objectId(unit, key)]
  })
  return [...own, ...units, ...auth.authorize.map((key) => objectId('authorize', key))]
}

/** Every text in it that is the key of one. */
function backendsIn(value: Rule): readonly string[] {
  const texts = JSON.stringify(value).match(/"(?:[^"\\]|\\.)*"/g) ?? []
  return texts.map((text) => objectId('backend', String(JSON.parse(text))))
}

function consumers(all: Objects, namespace: string): readonly string[] {
  return [...all].flatMap(([id, object]) => {
    const of = object.kind === 'apiKey' ? object.value.consumer : object.key
    const is = object.kind === 'apiKey' || object.kind === 'consumer'
    return is && of.startsWith(`${namespace}/`) ? [id] : []
  })
}

function closure(all: Objects, from: CompiledObject): Objects {
  const found: Objects = new Map()
  const waiting = [objectId(from.kind, from.key)]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const object = all.get(id)
    if (object === undefined || found.has(id)) continue
    found.set(id, object)
    waiting.push(...needs(all, object))
  }
  return found
}

/** The objects of the table, by following references from host to host. */
export function plainly(whole: CompiledTable, snapshot: Snapshot, room: Room): Objects {
  const all: Objects = new Map(whole.objects)
  const fits = (objects: Objects): boolean =>
    objects.size <= room.tableObjects && sum(objects) <= room.tableBytes
  if (fits(all) && longest(all) <= room.objectBytes) return all
  const every = [...all.values()].filter(isHost)
  const hosts = every.filter(({ value }) => value.entries.length > 0)
  const reserved = every.filter(({ value }) => value.entries.length === 0)
  const gateway = all.get(objectId('gateway', GATEWAY))
  assert.ok(gateway !== undefined)
  const base = mapOf([gateway, closedRule(sealer).object])
  const least = union(
    base,
    ...reserved.map((host) => emptyForm(all, host)),
    ...hosts.map((host) => closedForm(all, host)),
  )
  const others = fits(least) ? hosts : hosts.filter(({ key }) => !key.startsWith('*'))
  const any = mapOf([closedHost('*', 'fairlead-system', sealer).object])
  let result = fits(least) ? least : union(base, any)
  for (const host of inAge(others, all, snapshot)) {
    const parts = closure(all, host)
    const tls = all.get(objectId('tls', host.key))
    const shown = tls !== undefined && fits(least) ? closure(all, tls) : new Map()
    const wanted = longest(parts) <= room.objectBytes ? parts : shown
    if (fits(union(result, wanted))) result = union(result, wanted)
  }
  return result
}

function isHost(object: CompiledObject): object is HostObject {
  return object.kind === 'host'
}

function longest(objects: Objects): number {
  return Math.max(...[...objects.values()].map(bytesOf))
}

function emptyForm(all: Objects, host: HostObject): Objects {
  return union(closedForm(all, host), mapOf([host]))
}

function closedForm(all: Objects, { key, value }: HostObject): Objects {
  const tls = all.has(objectId('tls', key)) ? [closedTls(key, sealer).object] : []
  return mapOf([closedHost(key, value.namespace, sealer).object, ...tls])
}

function mapOf(objects: readonly CompiledObject[]): Objects {
  return new Map(objects.map((one) => [objectId(one.kind, one.key), one]))
}

function union(...all: readonly Objects[]): Objects {
  return new Map(all.flatMap((objects) => [...objects]))
}

export function sum(objects: Objects): number {
  return [...objects.values()].reduce((total, one) => total + bytesOf(one), 0)
}

function inAge(hosts: readonly HostObject[], all: Objects, { kinds }: Snapshot): HostObject[] {
  const first = ({ value }: HostObject): Aged => {
    const routes = value.entries.map(({ rule: key }) => {
      const object = all.get(objectId('rule', key))
      assert.ok(object?.kind === 'rule')
      const { namespace, name } = named(object.value.route)
      const found = kinds.ApiRoute.get(namespace)?.get(name)
      assert.ok(found !== undefined)
      return found
    })
    const [oldest] = routes.toSorted(olderFirst)
    assert.ok(oldest !== undefined)
    return oldest
  }
  return hosts.toSorted((a, b) => olderFirst(first(a), first(b)) || (a.key < b.key ? -1 : 1))
}
