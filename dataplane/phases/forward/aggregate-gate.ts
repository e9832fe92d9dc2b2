/**
 * Lets so many in at once and the others in the order in which they came.
 * Pinned by aggregate-run.test.ts: "no more calls are under way at once than is allowed".
 */
export interface Gate {
  /** Runs it now or later; each entry is followed by one `leave`. */
  enter(run: () => void): void
  leave(): void
  /** Nobody enters any more. */
  close(): void
}

export function createGate(max: number): Gate {
  const waiting: (() => void)[] = []
  let inside = 0
  let open: 'open' | 'closed' = 'open'
  return {
    enter(run) {
      if (open === 'closed') return
      if (inside >= max) {
        waiting.push(run)
        return
      }
      inside += 1
      run()
    },
    leave() {
      inside -= 1
      if (open === 'closed' || inside >= max) return
      const next = waiting.shift()
      if (next === undefined) return
      inside += 1
      next()
    },
    close() {
      open = 'closed'
      waiting.length = 0
    },
  }
}
