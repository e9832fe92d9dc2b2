/**
 * A short run of the fuzzer: `make fuzz SECONDS=600` is a long one.
 */
import { test } from 'node:test'
import { fuzz } from './fuzz.ts'

test('no bytes of a client break what holds for all', async (t) => {
  t.diagnostic(await fuzz({ seconds: 5, seed: Math.floor(Math.random() * 2 ** 31) }))
})
