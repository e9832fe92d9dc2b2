/**
 * Proves that a rolling restart costs nobody an answer; `make rolling` does so over fifty rounds.
 */
import { test } from 'node:test'
import { rollingRestart } from './rolling.ts'

/** Each takes as long as a drain and a start. */
const ROUNDS = Number(process.env['ROUNDS'] ?? 3)

test('a rolling restart of two instances loses nothing', (t) => rollingRestart(t, ROUNDS))
