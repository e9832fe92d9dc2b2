/**
 * One file of a folder: its text into Kubernetes objects, each with the place of every field, so
 * that a problem can be shown as file:line:column.
 * Pinned by folder-document.test.ts: "a problem's path leads to its line and column".
 */
import { type Document, LineCounter, isMap, isNode, isScalar, isSeq, parseAllDocuments } from 'yaml'
import { isRecord } from '../../crds/inspect.ts'

export interface FileContent {
  readonly objects: readonly FileObject[]
  readonly problems: readonly FileProblem[]
}

export interface FileObject {
  readonly raw: Readonly<Record<string, unknown>>
  /** Place of a field path such as `spec.rules[2].match[0].path`; the nearest parent that exists. */
  locate(path: string): Position
}

export interface Position {
  readonly line: number
  readonly column: number
}

export interface FileProblem extends Position {
  readonly sentence: string
}

/** An object of 10,000 lines is a mistake; a list of thousands of objects in one file is not. */
export const FILE_BYTES_MAX = 16 * 1024 * 1024
/** Aliases that blow up ("billion laughs") are refused; ordinary anchors stay far below. */
const ALIASES_MAX = 100

export function parseFile(text: string): FileContent {
  const counter = new LineCounter()
  const documents = parseAllDocuments(text, {
    lineCounter: counter,
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'silent',
  })
  const objects: FileObject[] = []
  const problems: FileProblem[] = []
  for (const document of Array.isArray(documents) ? documents : []) {
    // Those after the first follow from it more often than not.
    const [wrong] = [...document.errors, ...document.warnings]
    if (wrong === undefined) take(document, counter, objects, problems)
    else problems.push({ ...placeOf(wrong.pos[0], counter), sentence: sentenceOf(wrong.message) })
  }
  return { objects, problems }
}

function sentenceOf(message: string): string {
  if (message.includes('call stack')) return 'This is nested too deeply to be read.'
  const sentence = `${message.replace(/(["'])quote$/, '$1 quote').replace(/[.:]$/, '')}.`
  if (!/Unresolved tag/.test(message)) return sentence
  return `${sentence} YAML reads "!" at the start of a value as a tag: put the value in quotes.`
}

function take(
  document: Document.Parsed,
  counter: LineCounter,
  objects: FileObject[],
  problems: FileProblem[],
): void {
  const start = placeOf(startOf(document), counter)
  const value = valueOf(document)
  if (value instanceof Error) {
    problems.push({ ...start, sentence: value.message })
    return
  }
  if (!isRecord(value)) {
    // An empty document stands between two `---` or at the end of a file, and says nothing.
    if (value !== null && value !== undefined) problems.push({ ...start, sentence: NO_OBJECT })
    return
  }
  const items = value['kind'] === 'List' ? value['items'] : undefined
  if (!Array.isArray(items)) {
    objects.push({ raw: value, locate: (path) => locate(document, counter, [], path) })
    return
  }
  for (const [position, item] of items.entries()) {
    const prefix = ['items', position]
    const place = (path: string): Position => locate(document, counter, prefix, path)
    if (isRecord(item)) objects.push({ raw: item, locate: place })
    else problems.push({ ...place(''), sentence: NO_OBJECT })
  }
}

function startOf(document: Document.Parsed): number {
  return document.contents?.range[0] ?? 0
}

const NO_OBJECT =
  'A document must be a Kubernetes object: a map with apiVersion, kind and metadata.'

function valueOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

type Key = string | number

function locate(
  document: Document.Parsed,
  counter: LineCounter,
  prefix: readonly Key[],
  path: string,
): Position {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const key of [...prefix, ...keysOf(path)]) {
    const found = step(node, key)
    if (found === null) break
    offset = found.offset
    node = found.node
  }
  return placeOf(offset, counter)
}

function step(node: unknown, key: Key): { offset: number; node: unknown } | null {
  if (isSeq(node)) {
    const item: unknown = node.items[Number(key)]
    return isNode(item) ? { offset: item.range?.[0] ?? 0, node: item } : null
  }
  if (!isMap(node)) return null
  const pair = node.items.find(
    (item) => isScalar(item.key) && String(item.key.value) === String(key),
  )
  if (pair === undefined) return null
  const at = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0
  return { offset: at, node: pair.value }
}

/** `a.b[2]["x y"].c` → a, b, 2, "x y", c. What is no such path leads to the object itself. */
export function keysOf(path: string): readonly Key[] {
  const keys: Key[] = []
  for (const match of path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)) {
    if (match[1] !== undefined) keys.push(Number(match[1]))
    else if (match[2] !== undefined) keys.push(String(JSON.parse(match[2])))
    else if (match[3] !== undefined) keys.push(match[3])
  }
  return keys
}

function placeOf(offset: number, counter: LineCounter): Position {
  const { line, col } = counter.linePos(offset)
  return { line, column: col }
}
