/**
 * A folder of YAML as the source: equal to a cluster from the snapshot on. A file that cannot be
 * read keeps what it last said in force. Configuration walk: FOLDER → snapshot → compile → push.
 * Pinned by folder.test.ts: "a half-written file keeps its previous content in force and says so".
 */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Installation, Kind, Namespaced, Remembered, Resource } from '../compile/snapshot.ts'
import { resourceId } from '../compile/snapshot.ts'
import { fileReason } from '../file-reason.ts'
import type { FileObject, Position } from './folder-document.ts'
import { parseFile } from './folder-document.ts'
import { type FileRead, followFolder } from './folder-files.ts'
import type { KeptFiles } from './folder-kept.ts'
import { type Identified, identifyAll, type Place, without } from './folder-object.ts'
import { ingest } from './ingest.ts'
import type { Changed, Source } from './source.ts'
import { ALL_KINDS, createStore, type Store } from './store.ts'

export interface FolderOptions {
  readonly folder: string
  readonly changed: Changed
  /** Objects to add to those of the files (keys to try with), after each reading. */
  readonly added?: (objectsOf: (kind: Kind) => Namespaced) => readonly Resource[]
  /** What files said that cannot be read any more; absent: it is forgotten with the process. */
  readonly kept?: KeptFiles
}

/** What is wrong with a file rather than with what an object says. */
export interface FolderProblem extends Position {
  readonly file: string
  readonly sentence: string
}

export interface FolderSource extends Source {
  /** By file, then line. */
  problems(): readonly FolderProblem[]
  kindOf(kind: string): Kind | null
  /** `file:line:column` of a field of an object; null where the object comes from no file. */
  locate(kind: Kind, namespace: string, name: string, path: string): string | null
}

/** Rejects with a sentence where the folder cannot be read at all. */
export async function readFolder(options: FolderOptions): Promise<FolderSource> {
  await assertFolder(options.folder)
  const reading = new Folder(options)
  await reading.start()
  return {
    synced: Promise.resolve(),
    snapshot: (remembered: ReadonlyMap<string, Remembered>) => reading.store.snapshot(remembered),
    current: (kind, namespace, name) => reading.store.get(kind, namespace, name),
    version: (kind, namespace, name) => reading.store.version(kind, namespace, name),
    statusBefore: () => null,
    kindOf: (kind) => ALL_KINDS.find((known) => known === kind) ?? null,
    problems: () => reading.problems(),
    locate: (kind, namespace, name, path) => reading.locate(kind, namespace, name, path),
    close: async () => {
      reading.close()
      await options.kept?.written()
    },
  }
}

/** The one called `default`, else the first by name. */
export function defaultGateway(gateways: Namespaced): string {
  const names = [...gateways].flatMap(([namespace, inside]) =>
    [...inside.keys()].map((name) => `${namespace}/${name}`),
  )
  return names.toSorted(compareDefaultFirst)[0] ?? FOLDER_GATEWAY
}

/** What a folder without an ApiGateway is served by. */
export const FOLDER_GATEWAY = 'default/default'

function compareDefaultFirst(a: string, b: string): number {
  const rank = (name: string): number => (name.endsWith('/default') ? 0 : 1)
  return rank(a) - rank(b) || compare(a, b)
}

/** Rejects with a sentence where there is no such folder. */
export async function assertFolder(folder: string): Promise<void> {
  const facts = await stat(folder).catch((error: unknown) => {
    throw new Error(`cannot read the folder ${folder}: ${fileReason(error)}`)
  })
  if (!facts.isDirectory()) throw new Error(`${folder} is a file; name the folder that holds it`)
}

interface FileState {
  readonly objects: readonly Identified[]
  readonly problems: readonly FolderProblem[]
  /** That says these objects; null: the file could never be read. */
  readonly text: string | null
  /** before: what the file says now cannot be read. */
  readonly says: 'now' | 'before'
}

interface Placed {
  readonly file: string
  readonly object: FileObject
}

class Folder {
  readonly store: Store
  readonly #options: FolderOptions
  readonly #files = new Map<string, FileState>()
  /** resourceId → the file that has the word about it. */
  #placed: ReadonlyMap<string, Placed & Identified> = new Map()
  #added: readonly Resource[] = []
  #doubles: readonly FolderProblem[] = []
  #trouble: readonly FolderProblem[] = []
  /** resourceId → how often its content has changed in this process. */
  readonly #generations = new Map<
    string,
    { readonly digest: string; readonly generation: number }
  >()
  /** Grows with every reading; comparable within one process, which its epoch says. */
  #version = 0
  #stop: (() => void) | null = null

  constructor(options: FolderOptions) {
    this.#options = options
    this.store = createStore(() => this.#installation())
  }

  async start(): Promise<void> {
    const files = followFolder(
      this.#options.folder,
      (reads) => this.#took(reads),
      (error) => this.#failed(error),
    )
    this.#stop = () => files.close()
    for (const read of await files.readAll()) this.#take(read)
    this.#merge()
  }

  close(): void {
    this.#stop?.()
  }

  #installation(): Installation {
    return {
      defaultGateway: defaultGateway(this.store.all('ApiGateway')),
      unresolvedServices: 'sample',
    }
  }

  problems(): readonly FolderProblem[] {
    const all = [...this.#trouble, ...this.#doubles]
    for (const state of this.#files.values()) all.push(...state.problems)
    return all.toSorted((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column)
  }

  locate(kind: Kind, namespace: string, name: string, path: string): string | null {
    const placed = this.#placed.get(resourceId(kind, namespace, name))
    if (placed === undefined) return null
    const { line, column } = placed.object.locate(path)
    return `${placed.file}:${line}:${column}`
  }

  #took(reads: readonly FileRead[]): void {
    this.#trouble = []
    for (const read of reads) this.#take(read)
    this.#merge()
    this.#options.changed()
  }

  #failed(error: Error): void {
    this.#trouble = [
      {
        file: '.',
        line: 1,
        column: 1,
        sentence: `The folder cannot be followed: ${fileReason(error)}.`,
      },
    ]
    this.#options.changed()
  }

  #take(read: FileRead): void {
    const { file, outcome } = read
    switch (outcome.kind) {
      case 'gone':
        this.#files.delete(file)
        for (const below of this.#below(file)) this.#files.delete(below)
        return
      case 'unreadable':
        for (const below of this.#below(file)) this.#keep(below, [])
        this.#keep(file, [{ line: 1, column: 1, sentence: `Cannot be read: ${outcome.because}.` }])
        return
      case 'text':
        this.#parse(file, outcome.text)
        return
      default:
        outcome satisfies never
    }
  }

  /** Files of a folder that nobody can look into, which keep their word; read anew when it opens. */
  #below(folder: string): readonly string[] {
    const known = [...this.#files.keys(), ...(this.#options.kept?.files() ?? [])]
    return known.filter((file) => file.startsWith(`${folder}/`))
  }

  /** A syntax error may sit anywhere: no object of the file is believed, the old ones stay. */
  #parse(file: string, text: string): void {
    const content = parseFile(text)
    if (content.problems.length > 0) {
      this.#keep(file, content.problems)
      return
    }
    const { objects, unknown, lost } = identifyAll(content.objects)
    const before = this.#before(file)
    // What is half edited, or was emptied to be written anew, takes nothing back.
    if (before !== null && before.objects.length > 0 && text.trim() === '') {
      return this.#keep(file, [{ line: 1, column: 1, sentence: EMPTIED }])
    }
    const kept = before === null || lost.length === 0 ? [] : without(objects, before.objects)
    const tail = kept.length === 0 ? '' : STAYS
    const problems = [
      ...unknown.map((problem) => ({ file, ...problem })),
      ...lost.map(({ sentence, ...place }) => ({ file, ...place, sentence: `${sentence}${tail}` })),
    ]
    const state =
      before === null || kept.length === 0
        ? { objects, text, says: 'now' as const }
        : { objects: [...objects, ...kept], text: before.text, says: 'before' as const }
    this.#files.set(file, { ...state, problems })
  }

  /** What the file said last: in this process, or when the one before it ended. */
  #before(file: string): FileState | null {
    const here = this.#files.get(file)
    if (here !== undefined) return here
    const text = this.#options.kept?.text(file) ?? null
    if (text === null) return null
    const { objects } = identifyAll(parseFile(text).objects)
    return { objects, problems: [], text, says: 'before' }
  }

  #keep(file: string, found: readonly Place[]): void {
    const before = this.#before(file)
    const tail = before === null ? '' : STAYS
    this.#files.set(file, {
      objects: before?.objects ?? [],
      text: before?.text ?? null,
      says: 'before',
      problems: found.map(({ line, column, sentence }) => ({
        file,
        line,
        column,
        sentence: `${sentence}${tail}`,
      })),
    })
  }

  /** What all files say together; of two that define one object, the first by name has the word. */
  #merge(): void {
    const placed = new Map<string, Placed & Identified>()
    const doubles: FolderProblem[] = []
    for (const file of [...this.#files.keys()].toSorted(compare)) {
      for (const found of this.#files.get(file)?.objects ?? []) {
        const id = resourceId(found.resourceKind, found.namespace, found.name)
        const first = placed.get(id)
        if (first === undefined) placed.set(id, { file, ...found })
        else doubles.push(doubled(file, found, first))
      }
    }
    for (const [id, before] of this.#placed) {
      if (!placed.has(id)) this.store.drop(before.resourceKind, before.namespace, before.name)
    }
    for (const [id, found] of placed) this.#store(id, found)
    this.#namespaces(placed)
    this.#add(placed)
    this.#version += 1
    this.store.reached('folder', String(this.#version))
    this.#placed = placed
    this.#doubles = doubles
    this.#remember()
  }

  #remember(): void {
    const texts = new Map<string, string>()
    for (const [file, { says, text }] of this.#files) {
      if (says === 'before' && text !== null) texts.set(file, text)
    }
    this.#options.kept?.keep(texts)
  }

  /** What a file says of an object has the word over what would be added. */
  #add(placed: ReadonlyMap<string, Identified>): void {
    const all = this.#options.added?.((kind) => this.store.all(kind)) ?? []
    const added = all.filter((resource) => !placed.has(idOf(resource)))
    const kept = new Set(added.map(idOf))
    for (const before of this.#added) {
      const id = idOf(before)
      if (kept.has(id) || placed.has(id)) continue
      this.store.drop(before.kind, before.namespace, before.name)
    }
    for (const resource of added) this.store.put(resource)
    this.#added = added
  }

  #store(id: string, found: Identified): void {
    const digest = found.digest
    const before = this.#generations.get(id)
    if (
      before?.digest === digest &&
      this.store.get(found.resourceKind, found.namespace, found.name) !== null
    )
      return
    const generation =
      before === undefined ? 1 : before.generation + (before.digest === digest ? 0 : 1)
    this.#generations.set(id, { digest, generation })
    this.store.put(resourceOf(found, id, generation, digest))
  }

  /** A namespace exists where something stands in it, as `kubectl create ns` would have made it. */
  #namespaces(placed: ReadonlyMap<string, Identified>): void {
    const used = new Set(
      [...placed.values()].map((found) => found.namespace).filter((name) => name !== ''),
    )
    for (const name of used) {
      if (placed.has(resourceId('Namespace', '', name))) continue
      const labels = { 'kubernetes.io/metadata.name': name }
      this.store.put(
        ingest('Namespace', {
          metadata: { name, uid: `folder-namespace-${name}`, resourceVersion: '1', labels },
        }),
      )
    }
    for (const name of this.store.all('Namespace').get('')?.keys() ?? []) {
      if (!used.has(name) && !placed.has(resourceId('Namespace', '', name)))
        this.store.drop('Namespace', '', name)
    }
  }
}

const STAYS = ' What the file said before stays in force.'
const EMPTIED = 'The file is empty; delete it to take back what it said.'

function doubled(file: string, found: Identified, first: Placed): FolderProblem {
  const { line } = first.object.locate('')
  return {
    file,
    ...found.object.locate('metadata.name'),
    sentence: `${found.resourceKind} "${found.name}" is already defined in ${first.file}:${line}, which holds; remove one.`,
  }
}

function resourceOf(found: Identified, id: string, generation: number, digest: string): Resource {
  const uid = createHash('sha256').update(id).digest('hex').slice(0, 32)
  const metadata = isMetadata(found.object.raw['metadata']) ? found.object.raw['metadata'] : {}
  return ingest(found.resourceKind, {
    ...found.object.raw,
    metadata: { ...metadata, namespace: found.namespace, uid, generation, resourceVersion: digest },
  })
}

function idOf({ kind, namespace, name }: Resource): string {
  return resourceId(kind, namespace, name)
}

function isMetadata(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
