/**
 * The process above the data plane: no traffic, no table. It starts the data plane again from its
 * last good table when it ends without having been asked to, and hands signals down.
 * Pinned by supervisor.test.ts: "a data plane that was killed serves again within a second".
 */
import { type ChildProcess, spawn } from 'node:child_process'

/** A mistake in how it was started: another start would make the same. */
const EXIT_USAGE = 2

/** At once after the first end; then 100 ms, 200 ms … 1 s, while it keeps ending. */
const RESTART_MS_MIN = 100
const RESTART_MS_MAX = 1_000
/** One that has run so long starts the row anew. */
const FORGET_MS = 10_000

/** libuv's pool serves files, name resolution and key checks of all threads. */
export function threadPoolSize(workers: number): number {
  return 4 + 2 * workers
}

export interface SuperviseOptions {
  /** What node is given: its own flags, the script and its arguments. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly workers: number
  /** Folder for compiled code: with it another start takes half the time. Null: none. */
  readonly codeCache: string | null
  /** The child was ended and is started again. */
  restarted(because: string): void
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** Resolves with the exit code for this process: that of a child that was asked to stop. */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const state: State = { child: null, asked: 'no', wake: null }
  const forward = (signal: NodeJS.Signals): void => {
    state.asked = 'yes'
    state.child?.kill(signal)
    state.wake?.()
  }
  for (const signal of SIGNALS) process.on(signal, forward)
  try {
    return await keepRunning(options, state)
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward)
  }
}

interface State {
  child: ChildProcess | null
  asked: 'no' | 'yes'
  /** Ends the wait before a restart. */
  wake: (() => void) | null
}

async function keepRunning(options: SuperviseOptions, state: State): Promise<number> {
  let delayMs = 0
  for (;;) {
    const startedMs = performance.now()
    const ended = await runOnce(options, state)
    if (isAsked(state) || ended.code === EXIT_USAGE) return ended.code
    const isFresh = performance.now() - startedMs > FORGET_MS
    delayMs = isFresh ? 0 : delayMs
    options.restarted(ended.because)
    await pause(delayMs, state)
    if (isAsked(state)) return 0
    delayMs = Math.min(RESTART_MS_MAX, Math.max(RESTART_MS_MIN, delayMs * 2))
  }
}

/** A function, because a signal changes it while we wait. */
function isAsked(state: State): boolean {
  return state.asked === 'yes'
}

interface Ended {
  readonly code: number
  readonly because: string
}

async function runOnce(options: SuperviseOptions, state: State): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>()
  const { command, env, workers, codeCache } = options
  const child = spawn(process.execPath, [...command], {
    stdio: 'inherit',
    env: {
      ...(codeCache === null ? {} : { NODE_COMPILE_CACHE: codeCache }),
      ...env,
      UV_THREADPOOL_SIZE: String(threadPoolSize(workers)),
    },
  })
  state.child = child
  child.on('error', (error) => resolve({ code: 1, because: error.message }))
  child.on('exit', (code, signal) => {
    const because = signal === null ? `it exited with ${code}` : `it was ended by ${signal}`
    // Asked to stop before it could listen to signals, it ended as it was asked to.
    resolve({ code: code ?? (isAsked(state) ? 0 : 1), because })
  })
  const ended = await promise
  state.child = null
  return ended
}

async function pause(delayMs: number, state: State): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, delayMs)
  state.wake = resolve
  await promise
  clearTimeout(timer)
  state.wake = null
}
