/**
 * How a worker stops to serve without anybody noticing: it accepts until nobody comes any more,
 * says `Connection: close` with each answer, gives idle connections time to send what is on its
 * way, and lets what runs finish. The last thing that a worker does.
 * Pinned by drain.test.ts: "a request that began before the end of the drain is answered".
 */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'

/** Nobody has come for so long: the endpoint is withdrawn everywhere. */
const QUIET_MS = 1_000
const LOOK_EVERY_MS = 20

const SHORT_TURN_MS = 0.1
const QUIET_TURN_MS = 1

/** What a request that is on its way may need to arrive. */
const ON_ITS_WAY_MS = 1_000
/** A replaced worker is to be gone soon. */
const REPLACED_IDLE_MS = 2_000

export interface DrainOptions {
  readonly graceMs: number
  /** replaced: a successor is listening already, nobody has to be waited for. */
  readonly why: 'shutdown' | 'replaced'
  readonly now: () => number
}

export interface DrainedConnection {
  readonly state: 'idle' | 'busy'
  readonly mode: 'open' | 'last' | 'broken' | 'closing'
  /** From the client, as far as it was taken from the line. */
  readonly bytesRead: number
  end(): void
}

/** What a front has to offer for that. */
interface Drained {
  readonly lastAcceptMs: number
  readonly connections: readonly DrainedConnection[]
  /** Connections that can be told at any time (HTTP/2) are told one by one within this time. */
  closeAfterAnswers(withinMs: number): void
  stopAccepting(): void
  destroy(): void
}

export async function drain(front: Drained, options: DrainOptions): Promise<'finished' | 'cut'> {
  const { graceMs, why, now } = options
  const startMs = now()
  const idleMs = why === 'replaced' ? Math.min(REPLACED_IDLE_MS, graceMs / 2) : graceMs / 2
  const halfMs = startMs + idleMs
  if (why === 'shutdown') await untilQuiet(front, halfMs, now)
  await quietTurn(front, halfMs, now)
  front.stopAccepting()
  const endIdleMs = Math.max(halfMs, now() + Math.min(ON_ITS_WAY_MS, graceMs / 4))
  front.closeAfterAnswers(endIdleMs - now())
  while (front.connections.length > 0 && now() < startMs + graceMs) {
    if (now() >= endIdleMs) endIdle(front)
    await wait(LOOK_EVERY_MS)
  }
  const result = front.connections.some(({ state }) => state === 'busy') ? 'cut' : 'finished'
  front.destroy()
  return result
}

async function untilQuiet(front: Drained, halfMs: number, now: () => number): Promise<void> {
  const startMs = now()
  const quiet = (): number => now() - Math.max(startMs, front.lastAcceptMs)
  while (quiet() < QUIET_MS && now() < halfMs) await wait(LOOK_EVERY_MS)
}

/**
 * A listener that closes resets the connections that wait to be accepted (Linux moves them to
 * another one only with net.ipv4.tcp_migrate_req). So it closes right after a turn of the loop that
 * was short and in which nobody came: what may have come since is what came in some microseconds.
 */
async function quietTurn(front: Drained, untilMs: number, now: () => number): Promise<void> {
  for (;;) {
    const startMs = now()
    await turn()
    const endMs = now()
    const isQuiet = endMs - startMs < SHORT_TURN_MS && front.lastAcceptMs < endMs - QUIET_TURN_MS
    if (isQuiet || endMs >= untilMs) return
  }
}

function endIdle(front: Drained): void {
  for (const connection of front.connections) {
    if (connection.state === 'idle' && connection.mode !== 'closing') connection.end()
  }
}
