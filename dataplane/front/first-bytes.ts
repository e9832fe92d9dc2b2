/**
 * The first bytes of a connection, looked at before anybody reads them: which protocol is spoken,
 * or which host a TLS client asks for. They stay in the socket for whoever gets it.
 * Pinned by first-bytes.test.ts: "whatever the pieces, the bytes are looked at and then still there".
 */
import type { Socket } from 'node:net'
import type { Deadlines } from '../upstream/deadlines.ts'

/** What a look at the bytes so far says; `wait`: they are too few. */
export type Look<T> = (bytes: Buffer) => T | 'wait'

export interface Patience {
  readonly deadlines: Deadlines
  /** Monotonic milliseconds at which whoever has sent too little is cut off. */
  readonly untilMs: number
  /** With so many bytes a look must have found something. */
  readonly bytesMax: number
}

/**
 * Calls `found` once, with the bytes put back, or never: the client left, was too slow, or sent more
 * than `bytesMax` without saying what it wants.
 */
export function lookAtFirst<T>(
  socket: Socket,
  look: Look<T>,
  patience: Patience,
  found: (what: T) => void,
): void {
  const pieces: Buffer[] = []
  let size = 0
  const deadline = patience.deadlines.add(patience.untilMs, { expire: () => socket.destroy() })
  const leave = (): void => {
    deadline.cancel()
    socket.off('readable', read)
    socket.off('close', leave)
    socket.off('end', hangUp)
    socket.off('error', ignore)
  }
  const hangUp = (): void => void socket.destroy()
  const read = (): void => {
    const piece: Buffer | null = socket.read()
    if (piece === null) return
    pieces.push(piece)
    size += piece.length
    const bytes = pieces.length === 1 ? piece : Buffer.concat(pieces, size)
    const what = look(bytes)
    if (what === 'wait') {
      if (size >= patience.bytesMax) socket.destroy()
      return
    }
    leave()
    socket.unshift(bytes)
    // The stream learns in the next tick that nobody asks it for `readable` any more; whoever pauses
    // it before that would be undone.
    process.nextTick(found, what)
  }
  socket.on('readable', read)
  socket.on('close', leave)
  socket.on('end', hangUp)
  socket.on('error', ignore)
}

function ignore(): void {
  // `close` follows, and nobody is to be told of a connection that has said nothing.
}

/** RFC 9113 section 3.4: as a request of HTTP/1 it would be no request. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Prior knowledge of HTTP/2 without TLS, or HTTP/1. */
export function lookForPreface(bytes: Buffer): 'h2' | 'http/1' | 'wait' {
  const known = Math.min(bytes.length, PREFACE.length)
  if (bytes.compare(PREFACE, 0, known, 0, known) !== 0) return 'http/1'
  return known === PREFACE.length ? 'h2' : 'wait'
}
export const PREFACE_BYTES = PREFACE.length
