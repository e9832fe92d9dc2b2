/**
 * A worker that misbehaves when a test asks it to: it throws where no exchange can catch it, ends,
 * hangs, or dies while it prepares a table. Otherwise it is the real one.
 */
import { pbkdf2Sync } from 'node:crypto'
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { type Misdeed, UNRULY_CHANNEL } from './plane.ts'

const mind: { dieInPrepare: 'no' | 'yes'; held: Buffer[] } = {
  dieInPrepare: 'no',
  held: [],
}

function hold(megabytes: number): void {
  if (megabytes === 0) mind.held = []
  else mind.held.push(Buffer.alloc(megabytes * 1024 * 1024, 1))
}

function grow(): never {
  const kept: unknown[] = []
  for (;;) kept.push(Array.from({ length: 1_000 }, (_, i) => ({ i })))
}

const MISDEEDS: Readonly<Record<Misdeed['what'], (megabytes: number) => void>> = {
  hold,
  throw: () => {
    setImmediate(() => {
      throw new Error('thrown by a test')
    })
  },
  reject: () => void Promise.reject(new Error('rejected by a test')),
  exit: () => process.exit(3),
  hang: () => {
    for (;;);
  },
  // A minute of work that no termination interrupts.
  hangNative: () => void pbkdf2Sync('a', 'b', 2 ** 27, 64, 'sha512'),
  grow,
  dieInPrepare: () => {
    mind.dieInPrepare = 'yes'
  },
}

const channel = new BroadcastChannel(UNRULY_CHANNEL)
channel.unref()
channel.addEventListener('message', (event: { readonly data: Misdeed }): void => {
  const { worker, what, megabytes } = event.data
  const { worker: own }: { readonly worker: number } = workerData
  if (worker === own) MISDEEDS[what](megabytes ?? 0)
})
// Registered before the worker's own, so that it is asked first.
parentPort?.on('message', (message: { readonly type: string }) => {
  if (message.type === 'prepare' && mind.dieInPrepare === 'yes') process.exit(4)
})

await import('../worker.ts')
