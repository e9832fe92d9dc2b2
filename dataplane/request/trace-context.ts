/**
 * W3C Trace Context, level 1, as far as a hop that makes no span of its own is concerned: what a
 * client sends is passed on unchanged where it is valid, and not at all where it is not, so that no
 * backend hangs its spans below a trace that does not exist.
 * Pinned by trace-context.test.ts: "what is accepted is what a plain reading of the rules accepts".
 */
import { isSameName } from './headers.ts'

/**
 * Section 3.2.2: version, trace-id, parent-id and trace-flags, of which version ff and ids of zeros
 * are none; later versions may say more after them.
 */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/
const LENGTH = 55

/** Section 4.3: two lines are none, and `tracestate` says nothing without `traceparent`. */
export function traceContext(headers: readonly string[]): 'none' | 'valid' | 'invalid' {
  let parents = 0
  let states = 0
  let parent = ''
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (isSameName(name, 'traceparent')) {
      parents++
      parent = headers[i + 1] ?? ''
    } else if (isSameName(name, 'tracestate')) states++
  }
  if (parents + states === 0) return 'none'
  return parents === 1 && isTraceparent(parent) ? 'valid' : 'invalid'
}

function isTraceparent(value: string): boolean {
  if (value.length !== LENGTH && (value.length < LENGTH || value.startsWith('00'))) return false
  return TRACEPARENT.test(value)
}
