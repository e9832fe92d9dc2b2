/**
 * Programs of the bench: one that runs to its end, and one that goes on beside the measuring, pinned
 * to a core. Whatever was started is ended, by pid, the last one first.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where one measurement keeps its files, and what it has to end. */
export interface Stage {
  readonly folder: string
  after(end: () => Promise<unknown>): void
}

export async function onStage<T>(act: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-bench-'))
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  try {
    return await act({ folder, after: (end) => void ends.push(end) })
  } finally {
    for (const one of ends.toReversed()) await one()
  }
}

/** Standard output; a failure carries what was said on the other one. */
export function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr || error.message}`))
    })
  })
}

/** Runs on one core until the stage ends. */
export function pinned(
  stage: Stage,
  core: number,
  program: string,
  args: readonly string[],
): ChildProcess {
  const child = spawn('taskset', ['-c', String(core), program, ...args], { stdio: 'ignore' })
  stage.after(() => ended(child))
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

/** Until it answers with 2xx. */
export async function serves(url: string): Promise<void> {
  const limit = performance.now() + 60_000
  while (performance.now() < limit) {
    const answer = await fetch(url).catch(() => null)
    await answer?.arrayBuffer()
    if (answer?.ok === true) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} does not answer`)
}
