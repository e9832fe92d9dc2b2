/**
 * The end of the sentences about unknown names.
 * Pinned by suggest.test.ts: "a suggestion ends a sentence, or there is none".
 */
import { nearest } from '../../crds/nearest.ts'

/** `; did you mean X?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates)
  return near === null ? '' : `; did you mean ${near}?`
}
