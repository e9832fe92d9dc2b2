/**
 * The paths of one host as a tree of segments: a request's path finds, in one walk, all entries
 * whose path fits. Entries of one leaf are linked in ascending order, and `Reached` gives those of
 * all leaves in that order too, without sorting anything. At 10,000 routes most of a
 * look-up is waiting for memory, hence no arrays and no child objects where a pointer will do.
 * Pinned by matcher.test.ts: "the matcher and its plain twin agree on random tables and requests".
 */
import type { PreparedPath } from './prepared-match.ts'

export interface Linked<E> {
  /** In the final order of the host's entries. */
  readonly position: number
  /** The next one of the same leaf. */
  next: E | null
}

interface Node<E> {
  /** The first child by literal segment: compared in place, nothing is sliced or hashed. */
  literal: string
  child: Node<E> | null
  /** The other ones. */
  others: Map<string, Node<E>> | null
  param: Node<E> | null
  /** Entries whose path ends here. */
  exact: E | null
  /** Entries whose path is this and everything below. */
  below: E | null
}

function newNode<E>(): Node<E> {
  return { literal: '', child: null, others: null, param: null, exact: null, below: null }
}

/**
 * What one walk has reached: the first entries of its leaves. One for all hosts of a table, because
 * a walk is over before the next one begins, and memory that was just used is near.
 */
export class Reached<E extends Linked<E>> {
  readonly #heads: E[] = []
  /** Which head was given last, or -1. */
  #given = -1

  begin(): void {
    this.#heads.length = 0
    this.#given = -1
  }

  add(first: E): void {
    this.#heads.push(first)
  }

  /** The next entry in ascending order of position, or null. */
  next(): E | null {
    const heads = this.#heads
    // Only now: the first entry is usually the one that is wanted.
    if (this.#given !== -1) this.#advance(this.#given)
    let least: E | null = null
    this.#given = -1
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]
      if (head === undefined || (least !== null && head.position >= least.position)) continue
      least = head
      this.#given = i
    }
    return least
  }

  #advance(at: number): void {
    const heads = this.#heads
    const next = heads[at]?.next ?? heads.pop()
    if (next !== undefined && at < heads.length) heads[at] = next
  }
}

export class PathTrie<E extends Linked<E>> {
  readonly #root: Node<E> = newNode()
  /** No tree holds a pattern: these fit or do not fit when their turn comes. */
  #patterns: E | null = null

  /** In descending order of position: each goes before those of its leaf that are there. */
  add(path: PreparedPath, entry: E): void {
    switch (path.kind) {
      case 'any':
        this.#root.below = before(entry, this.#root.below)
        return
      case 'regex':
        this.#patterns = before(entry, this.#patterns)
        return
      case 'segments': {
        let node = this.#root
        for (const segment of path.segments) node = childFor(node, segment)
        if (path.end === 'exact') node.exact = before(entry, node.exact)
        else node.below = before(entry, node.below)
        return
      }
      default:
        path satisfies never
    }
  }

  /** Fills `reached` with all entries whose path fits the canonical path. */
  find(path: string, reached: Reached<E>): void {
    reached.begin()
    if (this.#patterns !== null) reached.add(this.#patterns)
    walk(this.#root, path, 1, reached)
  }
}

/** `at`: where the next segment starts, or -1 where the path is over. */
function walk<E extends Linked<E>>(
  node: Node<E>,
  path: string,
  at: number,
  reached: Reached<E>,
): void {
  if (node.below !== null) reached.add(node.below)
  if (at === -1) {
    if (node.exact !== null) reached.add(node.exact)
    return
  }
  const slash = path.indexOf('/', at)
  const end = slash === -1 ? path.length : slash
  const next = slash === -1 ? -1 : slash + 1
  const child = childAt(node, path, at, end)
  if (child !== null) walk(child, path, next, reached)
  if (node.param !== null && end > at) walk(node.param, path, next, reached)
}

function before<E extends Linked<E>>(entry: E, rest: E | null): E {
  entry.next = rest
  return entry
}

/** The child whose literal is the text from `at` to `end`. */
function childAt<E>(node: Node<E>, path: string, at: number, end: number): Node<E> | null {
  if (node.child === null) return null
  const { literal } = node
  if (literal.length === end - at && path.startsWith(literal, at)) return node.child
  return node.others?.get(path.slice(at, end)) ?? null
}

function childFor<E>(
  node: Node<E>,
  segment: { readonly literal: string } | { readonly param: string },
): Node<E> {
  if ('param' in segment) {
    node.param ??= newNode()
    return node.param
  }
  const { literal } = segment
  if (node.child === null) {
    node.literal = literal
    node.child = newNode()
    return node.child
  }
  if (node.literal === literal) return node.child
  node.others ??= new Map()
  const known = node.others.get(literal)
  if (known !== undefined) return known
  const child = newNode<E>()
  node.others.set(literal, child)
  return child
}
