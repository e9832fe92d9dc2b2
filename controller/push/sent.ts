/**
 * Which endpoints one data plane has been sent, so that each change goes to it once and both ends
 * can compare. A push adds the backends that are new to it and takes away those that it drops; where
 * the data plane refuses it, all of that is undone, as it is there.
 * Pinned by test/wire/session.test.ts: "endpoints have a lane of their own, and come before the
 * commit that needs them".
 */
import { EMPTY_HASH, xorOf } from '#wire/digest'
import type { DigestedSet, EndpointLane } from './endpoints.ts'

export interface SentEndpoints {
  /** Sets to go before the commit: of backends that are new, or newer than what went out. */
  begin(added: Iterable<string>, dropped: Iterable<string>): readonly DigestedSet[]
  undo(): void
  /** Of these backends, those that this data plane has. */
  mark(keys: Iterable<string>): void
  /** What was marked and is newer than what went out; they count as sent from now on. */
  take(): readonly DigestedSet[]
  readonly waiting: 'some' | 'none'
  readonly backends: Iterable<string>
  readonly hash: string
}

export function createSentEndpoints(lane: EndpointLane): SentEndpoints {
  const sent = new Map<string, DigestedSet>()
  const marked = new Set<string>()
  let before = new Map<string, DigestedSet | undefined>()
  let hash = EMPTY_HASH

  function put(key: string, next: DigestedSet | undefined): void {
    const last = sent.get(key)
    const digests = [last?.digest, next?.digest].filter((digest) => digest !== undefined)
    hash = xorOf([hash, ...digests])
    if (next === undefined) sent.delete(key)
    else sent.set(key, next)
  }

  function renew(keys: Iterable<string>): readonly DigestedSet[] {
    const sets: DigestedSet[] = []
    for (const key of keys) {
      const set = lane.get(key)
      if (set === undefined || set.digest === sent.get(key)?.digest) continue
      put(key, set)
      sets.push(set)
    }
    return sets
  }

  return {
    begin(added, dropped) {
      before = new Map()
      const fresh = [...added]
      for (const key of fresh) if (!sent.has(key)) before.set(key, undefined)
      const sets = renew(fresh)
      for (const key of dropped) {
        before.set(key, sent.get(key))
        put(key, undefined)
      }
      return sets
    },
    undo() {
      for (const [key, set] of before) put(key, set)
      before = new Map()
    },
    mark(keys) {
      for (const key of keys) if (sent.has(key)) marked.add(key)
    },
    take() {
      const sets = renew([...marked].filter((key) => sent.has(key)))
      marked.clear()
      return sets
    },
    get waiting() {
      return marked.size > 0 ? 'some' : 'none'
    },
    get backends() {
      return sent.keys()
    },
    get hash() {
      return hash
    },
  }
}
