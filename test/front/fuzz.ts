/**
 * The fuzzer of what clients send: valid requests are changed, cut and joined, and after each the
 * invariants must hold. Run by `make fuzz SECONDS=60 SEED=1`; what it finds is shrunk, and printed
 * with the seed that repeats it.
 */
import * as fc from 'fast-check'
import { mutated, mutation, request, served } from '../../dataplane/http1/fake/messages.ts'
import { Gateway } from './gateway.ts'
import { holdsFor } from './invariants.ts'

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
}

const requests = fc
  .array(fc.oneof({ weight: 3, arbitrary: served }, { weight: 1, arbitrary: request }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((list) => list.join(''))

const input = fc
  .tuple(requests, fc.array(mutation, { maxLength: 3 }))
  .map(([text, mutations]) => mutated(text, mutations))
  .chain((text) => fc.tuple(fc.constant(text), fc.array(fc.nat(text.length), { maxLength: 4 })))

/** What was done; rejects with the smallest input that breaks something. */
export async function fuzz({ seconds, seed }: FuzzOptions): Promise<string> {
  const gateway = new Gateway()
  await gateway.start()
  let runs = 0
  try {
    const holds = fc.asyncProperty(input, async ([text, cuts]) => {
      runs++
      await holdsFor(
        gateway,
        text,
        cuts.toSorted((a, b) => a - b),
      )
    })
    const interruptAfterTimeLimit = seconds * 1_000
    await fc.assert(holds, { seed, numRuns: 2 ** 31, interruptAfterTimeLimit })
  } finally {
    await gateway.stop()
  }
  return `${runs} inputs, ${gateway.backend.requests.length} requests upstream, seed ${seed}`
}

if (import.meta.main) {
  // bash has a variable SECONDS of its own.
  const seconds = Number(process.env['SECONDS_MAX'] ?? 60)
  const seed = Number(process.env['SEED'] || Math.floor(Math.random() * 2 ** 31))
  process.stdout.write(`fuzzing for ${seconds} s, seed ${seed}\n`)
  process.stdout.write(`${await fuzz({ seconds, seed })}\n`)
}
