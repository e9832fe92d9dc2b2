/**
 * Waits to be told to stop. A second signal ends the process at once: somebody is in a hurry.
 * Proved by test/cluster/walk.test.ts: "a data plane that stops ends well".
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = 0
    const listener = (signal: NodeJS.Signals): void => {
      seen += 1
      if (seen > 1) process.exit(1)
      resolve(signal)
    }
    process.on('SIGTERM', listener)
    process.on('SIGINT', listener)
  })
}

/** process.exit waits for every thread, also for one that never ends. */
export function killOurselves(): void {
  process.kill(process.pid, 'SIGKILL')
}
