/**
 * Proves that a rolling restart costs nobody an answer; `make rolling` does so over fifty rounds.
 */
import { test } from 'node:test'
import { rollingRestart } from './rolling.ts'

test('a rolling restart of two instances loses nothing', (t) => rollingRestart(t, 4))
