/**
 * One of our own programs as a process of its own, as people start it: `fairlead controller`,
 * `fairlead dataplane`. What it logs can be waited for, and it can be killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Ending } from './cluster.ts'
import { until } from './until.ts'

const FAIRLEAD = join(import.meta.dirname, '..', '..', 'controller', 'cli', 'fairlead.ts')

export interface Program {
  readonly pid: number
  /** Everything that it has written so far. */
  readonly output: () => string
  /** Resolves with the exit code; null: a signal ended it. */
  readonly exited: Promise<number | null>
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>
  /** SIGKILL, for all of its processes. */
  kill(): Promise<void>
}

export function startProgram(
  ending: Ending,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  // A group of its own: the data plane's supervisor and the process below it end together.
  const child = spawn(process.execPath, [FAIRLEAD, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
  })
  const kill = async (): Promise<void> => {
    killGroup(child)
    await exited
  }
  ending.after(kill)
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    signal: (name) => child.kill(name),
    async stop() {
      child.kill('SIGTERM')
      return exited
    },
    kill,
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** The probe port says that it is ready. */
export async function untilReady(program: Program, adminPort: number): Promise<void> {
  const ended = program.exited.then((code) => {
    throw new Error(`it ended with ${code}: ${program.output().slice(-2000)}`)
  })
  const ready = until('it is ready', 30_000, async () => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
    await answer.arrayBuffer()
    return answer.status === 200 ? answer : null
  }).catch((error: unknown) => {
    throw new Error(`not ready: ${program.output().slice(-2000)}`, { cause: error })
  })
  await Promise.race([ready, ended])
  ended.catch(() => undefined)
}
