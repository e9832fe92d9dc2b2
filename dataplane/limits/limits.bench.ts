/**
 * What the parts of a limit cost: `node dataplane/limits/limits.bench.ts`. Nanoseconds of CPU, the
 * least of all rounds, because other programs disturb.
 */
import { keyOf } from './fake/hammer.ts'
import { limit, memory, prepared, SECRET } from './fake/limit.ts'
import { createBucketNames } from './bucket-name.ts'
import { GaugeTable } from './gauge-table.ts'
import { rateParts } from './gcra.ts'
import { RateTable } from './rate-table.ts'

const TIMES = 100_000
const ROUNDS = 15

function report(what: string, step: (i: number) => void): void {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let i = 0; i < TIMES; i++) step(i)
    const { user, system } = process.cpuUsage(before)
    rounds.push(((user + system) * 1000) / TIMES)
  }
  process.stdout.write(`${what.padEnd(56)} ${Math.min(...rounds).toFixed(0)} ns\n`)
}

const [one] = prepared(limit())
if (one === undefined) throw new Error('no limit')
const names = createBucketNames(SECRET)
const values = Array.from({ length: 1_000 }, (_, i) => `spartners/consumer-${i}`)
report('the name of a bucket, 20 characters', (i) => {
  names.key(one, 0, values[i % values.length] ?? '')
})

const shared = memory({ columns: 8, originNs: process.hrtime.bigint() })
const rates = new RateTable(shared)
const parts = rateParts({ count: 1_000_000_000, periodMs: 1_000, burst: 1_000_000_000 }, 1)
const keys = Array.from({ length: 10_000 }, (_, i) => keyOf(i))
const first = keyOf(0)
report('a take from one of 10,000 buckets', (i) => {
  const nowNs = process.hrtime.bigint()
  rates.take(keys[i % keys.length] ?? first, { nowNs, takeNs: parts.intervalNs, parts })
})

const gauges = new GaugeTable(shared, 3)
report('a slot of a gauge taken and released, eight workers', (i) => {
  gauges.release(gauges.take(keys[i % 1_000] ?? first, 1_000))
})

const before = process.cpuUsage()
for (let i = 0; i < ROUNDS; i++) {
  rates.turn(process.hrtime.bigint())
  rates.empty()
}
const { user, system } = process.cpuUsage(before)
const turnMs = (user + system) / ROUNDS / 1000
process.stdout.write(
  `${'a turn of the tables, on the main thread'.padEnd(56)} ${turnMs.toFixed(1)} ms\n`,
)
