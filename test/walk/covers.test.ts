/**
 * Holds the table of walks (covers.ts) to the schemas, both ways: a field without a walk, and an
 * entry for a field or a folder that is not there, are found here.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { NOT_SUPPORTED_YET } from '../../controller/compile/supported.ts'
import { isRecord } from '../../crds/inspect.ts'
import { type CrdKind, KINDS } from '../../crds/kinds.ts'
import type { SchemaNode } from '../../crds/schema.ts'
import { COVERS } from './covers.ts'

const here = import.meta.dirname

/** LastValid is the controller's own memory: users do not write it. */
const WRITTEN = Object.keys(KINDS).filter((kind): kind is CrdKind => kind !== 'LastValid')

function specOf(kind: CrdKind): SchemaNode {
  return KINDS[kind].spec
}

function fieldsOf(node: SchemaNode, path: string): string[] {
  const inside = Object.entries(node.properties ?? {}).flatMap(([name, child]) => [
    `${path}.${name}`,
    ...fieldsOf(child, `${path}.${name}`),
  ])
  const items = node.items === undefined ? [] : fieldsOf(node.items, path)
  const values =
    node.additionalProperties === undefined ? [] : fieldsOf(node.additionalProperties, `${path}.*`)
  return [...inside, ...items, ...values]
}

function usedIn(node: SchemaNode, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => (node.items ? usedIn(node.items, item, path) : []))
  }
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = node.properties?.[name]
    const child = own ?? node.additionalProperties
    const step = `${path}.${own === undefined ? '*' : name}`
    return child === undefined ? [] : [step, ...usedIn(child, inner, step)]
  })
}

/** `defaults` and `overrides` hold what may stand bare. */
function bare(field: string): string {
  return field.replace(/^(\w+)\.(defaults|overrides)\.(?=\w)/, '$1.')
}

/** Everything that the in.yaml files of a folder write, as fields. */
function writtenIn(folder: string): ReadonlySet<string> {
  const used = new Set<string>()
  for (const file of globSync('*/in*.yaml', { cwd: join(here, folder) })) {
    const text = readFileSync(join(here, folder, file), 'utf8')
    for (const document of parseAllDocuments(text)) {
      const object: unknown = 'toJS' in document ? document.toJS() : null
      if (!isRecord(object)) continue
      const kind = WRITTEN.find((known) => known === object['kind'])
      if (kind === undefined) continue
      for (const field of usedIn(specOf(kind), object['spec'], kind)) used.add(bare(field))
    }
  }
  return used
}

const folders = new Map(
  [...new Set(COVERS.map(([, folder]) => folder))].map((folder) => [folder, writtenIn(folder)]),
)
const covers = new Map(COVERS)

/** The folder of the field, or of the nearest one around it that the table names. */
function folderOf(field: string): string | null {
  for (let path = bare(field); path !== ''; path = path.slice(0, path.lastIndexOf('.'))) {
    const folder = covers.get(path)
    if (folder !== undefined) return folder
    if (!path.includes('.')) break
  }
  return null
}

const fields = WRITTEN.flatMap((kind) => fieldsOf(specOf(kind), kind))

test('every field of a spec has a walk that uses it', () => {
  const wrong = fields.flatMap((field) => {
    const folder = folderOf(field)
    if (folder === null) return [`${field}: no entry in covers.ts`]
    return folders.get(folder)?.has(bare(field)) === true
      ? []
      : [`${field}: no case below test/walk/${folder} writes it`]
  })
  assert.deepEqual(wrong, [], 'write a case, or name its folder in covers.ts')
})

test('the table of walks names only fields and folders that exist', () => {
  const known = new Set([...fields, ...WRITTEN])
  assert.deepEqual(
    COVERS.filter(([field]) => !known.has(field)),
    [],
  )
  assert.deepEqual(
    COVERS.filter(([, folder]) => !existsSync(join(here, folder))),
    [],
  )
})

test('what is not supported yet is shown as such', () => {
  const statuses = globSync('not-supported-yet/*/status.yaml', { cwd: here })
    .map((file) => readFileSync(join(here, file), 'utf8'))
    .join('\n')
  const told = [...statuses.matchAll(/path: "?(spec[^",]*)"?, reason: NotSupportedYet/g)].map(
    ([, path]) => (path ?? '').replaceAll(/\[\d+\]/g, '.*'),
  )
  const missing = Object.values(NOT_SUPPORTED_YET).flatMap((list) =>
    list.flatMap(({ path }) => {
      const pattern = new RegExp(`${path.replaceAll('.', '[.]').replaceAll('*', '[^.]+')}$`)
      return told.some((one) => pattern.test(one)) ? [] : [path]
    }),
  )
  assert.deepEqual(missing, [])
})
