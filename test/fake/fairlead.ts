/**
 * The `fairlead` command as a user runs it: a process of its own, its output, its exit code.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Fairlead {
  readonly child: ChildProcess
  /** Everything printed so far, both streams. */
  output(): string
  /** Resolves with the match once it has been printed; rejects when the process ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  readonly exit: Promise<number>
  /** By SIGINT unless told otherwise; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number>
}

const root = join(import.meta.dirname, '..', '..')
const PRINTED_WITHIN_MS = 30_000

export function fairlead(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  /** What runs it, such as `taskset -c 0`. */
  under: readonly string[] = [],
): Fairlead {
  const script = join(root, 'controller', 'cli', 'fairlead.ts')
  const [program = process.execPath, ...command] = [...under, process.execPath, script, ...args]
  const env = { ...process.env, ...environment }
  const child = spawn(program, command, { stdio: ['ignore', 'pipe', 'pipe'], env })
  let text = ''
  const listeners = new Set<() => void>()
  const take = (chunk: Buffer): void => {
    text += chunk.toString('utf8')
    for (const listener of listeners) listener()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const exit = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => resolve(signal === null ? (code ?? -1) : -1))
  })
  void exit.then(() => {
    for (const listener of listeners) listener()
  })
  return {
    child,
    output: () => text,
    printed: (pattern) => printed(pattern, child, () => text, listeners),
    exit,
    stop(signal = 'SIGINT') {
      child.kill(signal)
      return exit
    },
  }
}

function printed(
  pattern: RegExp,
  child: ChildProcess,
  text: () => string,
  listeners: Set<() => void>,
): Promise<RegExpExecArray> {
  const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
  const give = (why: string): void => reject(new Error(`${why} ${pattern}; printed:\n${text()}`))
  const limit = setTimeout(() => give('never printed'), PRINTED_WITHIN_MS)
  const look = (): void => {
    const found = pattern.exec(text())
    if (found !== null) resolve(found)
    else if (child.exitCode !== null) give('ended before it printed')
  }
  listeners.add(look)
  look()
  return promise.finally(() => {
    clearTimeout(limit)
    listeners.delete(look)
  })
}
