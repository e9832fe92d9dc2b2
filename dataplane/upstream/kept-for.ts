/**
 * How long an idle connection is kept. Servers close theirs without saying so, and a request that
 * crosses with that is lost; those that do say when are taken at their word, less a margin.
 * Pinned by kept-for.test.ts: "what a server says is used, never to the last second".
 */

/** Node, uvicorn and others close idle connections after 5 s without saying so. */
export const KEPT_MS = 4_000
/** Where the server says more, up to this. */
const KEPT_MS_MAX = 60_000
/** For the way of a request, and for a loop that stands still. */
const MARGIN_MS = 1_000

const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*(\d{1,6})\b/i

/** `keepAlive`: value of a Keep-Alive field. 0: it is not to be used again. */
export function keptForMs(keepAlive: string): number {
  const [, seconds] = TIMEOUT.exec(keepAlive) ?? []
  if (seconds === undefined) return KEPT_MS
  return Math.min(KEPT_MS_MAX, Math.max(0, Number(seconds) * 1_000 - MARGIN_MS))
}

const KEEP_ALIVE = 'keep-alive'

/** The field of that name in a flat list; '' where there is none. */
export function keepAliveOf(fields: readonly string[]): string {
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (name.length === KEEP_ALIVE.length && name.toLowerCase() === KEEP_ALIVE) {
      return fields[i + 1] ?? ''
    }
  }
  return ''
}
