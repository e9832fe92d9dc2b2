/**
 * The paths of one host as a tree of segments: a request's path finds, in one walk, the positions of
 * all entries whose path fits. Each leaf holds its positions in ascending order, and `each` gives
 * those of all leaves that were reached in that order too, without sorting anything.
 * Pinned by matcher.test.ts: "the matcher and its plain twin agree on random tables and requests".
 */
import type { PreparedPath } from './prepared-match.ts'

interface Node {
  /** Children by literal segment, while they are few: compared in place, nothing is sliced. */
  readonly few: Child[]
  /** Once there are more. */
  many: Map<string, Node> | null
  param: Node | null
  /** Positions of entries whose path ends here. */
  exact: number[] | null
  /** Positions of entries whose path is this and everything below. */
  below: number[] | null
}

interface Child {
  readonly literal: string
  readonly node: Node
}

/** Up to here, comparing one after the other is cheaper than slicing and hashing. */
const FEW = 6

function newNode(): Node {
  return { few: [], many: null, param: null, exact: null, below: null }
}

export class PathTrie {
  readonly #root = newNode()
  /** No tree holds a pattern: these fit or do not fit when their turn comes. */
  #patterns: number[] | null = null
  // Reused by every walk; a walk is over before the next one begins.
  readonly #lists: (readonly number[])[] = []
  readonly #cursors: number[] = []

  /** In ascending order of position. */
  add(path: PreparedPath, position: number): void {
    switch (path.kind) {
      case 'any':
        this.#root.below = appended(this.#root.below, position)
        return
      case 'regex':
        this.#patterns = appended(this.#patterns, position)
        return
      case 'segments': {
        let node = this.#root
        for (const segment of path.segments) node = childFor(node, segment)
        if (path.end === 'exact') node.exact = appended(node.exact, position)
        else node.below = appended(node.below, position)
        return
      }
      default:
        path satisfies never
    }
  }

  /** Before `next`: finds what fits the canonical path. */
  find(path: string): void {
    this.#lists.length = 0
    if (this.#patterns !== null) this.#lists.push(this.#patterns)
    this.#walk(this.#root, path, 1)
    this.#cursors.length = this.#lists.length
    this.#cursors.fill(0)
  }

  /** The next position in ascending order, or -1. */
  next(): number {
    let least = -1
    let from = -1
    for (let i = 0; i < this.#lists.length; i++) {
      const position = this.#lists[i]?.[this.#cursors[i] ?? 0]
      if (position === undefined || (least !== -1 && position >= least)) continue
      least = position
      from = i
    }
    if (from !== -1) this.#cursors[from] = (this.#cursors[from] ?? 0) + 1
    return least
  }

  /** `at`: where the next segment starts, or -1 where the path is over. */
  #walk(node: Node, path: string, at: number): void {
    if (node.below !== null) this.#lists.push(node.below)
    if (at === -1) {
      if (node.exact !== null) this.#lists.push(node.exact)
      return
    }
    const slash = path.indexOf('/', at)
    const end = slash === -1 ? path.length : slash
    const next = slash === -1 ? -1 : slash + 1
    const child = childAt(node, path, at, end)
    if (child !== null) this.#walk(child, path, next)
    if (node.param !== null && end > at) this.#walk(node.param, path, next)
  }
}

/** The child whose literal is the text from `at` to `end`. */
function childAt(node: Node, path: string, at: number, end: number): Node | null {
  if (node.many !== null) return node.many.get(path.slice(at, end)) ?? null
  for (const { literal, node: child } of node.few) {
    if (literal.length === end - at && path.startsWith(literal, at)) return child
  }
  return null
}

function appended(list: number[] | null, position: number): number[] {
  if (list === null) return [position]
  list.push(position)
  return list
}

function childFor(
  node: Node,
  segment: { readonly literal: string } | { readonly param: string },
): Node {
  if ('param' in segment) {
    node.param ??= newNode()
    return node.param
  }
  return node.many?.get(segment.literal) ?? literalChild(node, segment.literal)
}

function literalChild(node: Node, literal: string): Node {
  const known = node.few.find((child) => child.literal === literal)
  if (known !== undefined) return known.node
  const child = newNode()
  if (node.many === null) node.few.push({ literal, node: child })
  else node.many.set(literal, child)
  if (node.few.length > FEW) {
    node.many = new Map(node.few.map((each) => [each.literal, each.node]))
    node.few.length = 0
  }
  return child
}
