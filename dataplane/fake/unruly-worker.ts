/**
 * A worker that misbehaves when a test asks it to: it throws where no exchange can catch it, ends,
 * hangs, or dies while it prepares a table. Otherwise it is the real one.
 */
import { pbkdf2Sync } from 'node:crypto'
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { type Misdeed, UNRULY_CHANNEL } from './plane.ts'

const mind: { dieInPrepare: 'no' | 'yes' } = { dieInPrepare: 'no' }

function misbehave(what: Misdeed['what']): void {
  switch (what) {
    case 'throw':
      setImmediate(() => {
        throw new Error('thrown by a test')
      })
      return
    case 'reject':
      void Promise.reject(new Error('rejected by a test'))
      return
    case 'exit':
      process.exit(3)
      return
    case 'hang':
      for (;;);
    case 'hangNative':
      // A minute of work that no termination interrupts.
      pbkdf2Sync('a', 'b', 2 ** 27, 64, 'sha512')
      return
    case 'grow': {
      const kept: unknown[] = []
      for (;;) kept.push(Array.from({ length: 1_000 }, (_, i) => ({ i })))
    }
    case 'dieInPrepare':
      mind.dieInPrepare = 'yes'
      return
    default:
      what satisfies never
  }
}

const channel = new BroadcastChannel(UNRULY_CHANNEL)
channel.unref()
channel.addEventListener('message', (event: { readonly data: Misdeed }): void => {
  const { worker, what } = event.data
  const { worker: own }: { readonly worker: number } = workerData
  if (worker === own) misbehave(what)
})
// Registered before the worker's own, so that it is asked first.
parentPort?.on('message', (message: { readonly type: string }) => {
  if (message.type === 'prepare' && mind.dieInPrepare === 'yes') process.exit(4)
})

await import('../worker.ts')
