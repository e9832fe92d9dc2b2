/**
 * Proves that what workers count is what a scrape shows.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { recordOf } from './fake/records.ts'
import { Metrics } from './metrics.ts'
import {
  type Announcement,
  DURATION_BUCKETS_S,
  HISTOGRAMS_MAX,
  MetricsSlab,
  newSlab,
  SERIES_MAX,
} from './metrics-slab.ts'
import type { ExchangeRecord } from './request/record.ts'

function metricsOf(): Metrics {
  return new Metrics(() => ({
    workers: 2,
    workersReady: 1,
    workerRestarts: 3,
    ready: 1,
    memoryUsed: 1,
    memoryLimit: 2,
    memoryPressure: 0,
    endpointsOut: 0,
  }))
}

function worker(metrics: Metrics, id: number): MetricsSlab {
  const slab = newSlab()
  metrics.addWorker(id, slab)
  return new MetricsSlab(slab, (announcement) => metrics.announce(id, announcement))
}

/** Lines of one metric: labels as written → value. */
async function scrape(metrics: Metrics, name: string): Promise<Map<string, number>> {
  const { text } = await metrics.render()
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(name.length, space), Number(line.slice(space + 1))]
    }),
  )
}

function labelsOf({ route, rule, method, status, backend }: ExchangeRecord): string {
  const labels = {
    route: route ?? '',
    rule: rule?.slice('a/b/'.length) ?? '',
    method: method === 'BREW' ? 'OTHER' : method,
    class: `${Math.floor(status / 100)}xx`,
    cause: '',
    backend: backend ?? '',
  }
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join()}}`
}

function sorted(map: ReadonlyMap<string, number>): unknown {
  return [...map].toSorted(([one], [other]) => (one < other ? -1 : 1))
}

test('what workers count is what a scrape shows, even when gone', async () => {
  const rule = fc.constantFrom('a/b/c', 'a/b/d', null)
  const some: fc.Arbitrary<Partial<ExchangeRecord>> = fc.record({
    rule,
    method: fc.constantFrom('GET', 'POST', 'BREW'),
    status: fc.constantFrom(200, 204, 404, 499, 502),
    bytesOut: fc.nat(1_000),
    durationMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
  })
  const step = fc.tuple(fc.nat(2), some, fc.constantFrom('stay', 'stay', 'stay', 'go'))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const metrics = metricsOf()
      const slabs = new Map<number, { id: number; slab: MetricsSlab }>()
      const expected = new Map<string, number>()
      const durations: number[] = []
      let lastId = 0
      for (const [place, partial, then] of steps) {
        const at = slabs.get(place) ?? { id: ++lastId, slab: worker(metrics, lastId) }
        slabs.set(place, at)
        const record = recordOf({ ...partial, route: partial.rule === null ? null : 'a/b' })
        at.slab.add('started', 1)
        at.slab.record(record)
        const key = labelsOf(record)
        expected.set(key, (expected.get(key) ?? 0) + 1)
        durations.push(record.durationMs / 1_000)
        if (then === 'stay') continue
        metrics.retire(at.id)
        slabs.delete(place)
      }
      assert.deepEqual(sorted(await scrape(metrics, 'fairlead_requests_total')), sorted(expected))
      const buckets = await scrape(metrics, 'fairlead_request_duration_seconds_bucket')
      for (const bound of DURATION_BUCKETS_S) {
        const shown = [...buckets].filter(([labels]) => labels.includes(`le="${bound}"`))
        const sum = shown.reduce((before, [, value]) => before + value, 0)
        assert.equal(sum, durations.filter((seconds) => seconds <= bound).length, `le ${bound}`)
      }
      assert.equal((await scrape(metrics, 'fairlead_requests_in_flight')).get(''), 0)
    }),
    { numRuns: 40 },
  )
})

test('a limit that only watches is counted by rule and name, as often as it would have refused', async () => {
  const metrics = metricsOf()
  const first = worker(metrics, 1)
  const second = worker(metrics, 2)
  const watched = { route: 'a/b', rule: 'a/b/c', observed: ['fair', 'busy'] }
  first.record(recordOf(watched))
  second.record(recordOf({ ...watched, observed: ['fair'] }))
  second.record(recordOf({ ...watched, observed: [] }))
  metrics.retire(1)
  const label = (limit: string) => `{route="a/b",rule="c",limit="${limit}"}`
  assert.deepEqual(
    await scrape(metrics, 'fairlead_limit_observed_total'),
    new Map([
      [label('fair'), 2],
      [label('busy'), 1],
    ]),
  )
})

test('docs/metrics.md and a scrape name the same metrics, with their types and labels', async () => {
  const page = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8')
  const documented = [...page.matchAll(/^\| `(\w+)` \| (\w+) \|([^|]*)\|/gm)].map(
    ([, name, type, labels]) => `${name} ${type} ${labels?.trim()}`,
  )
  const metrics = metricsOf()
  worker(metrics, 1).record(recordOf({ observed: ['fair'] }))
  const { text } = await metrics.render()
  const shown = [...text.matchAll(/^# TYPE (fairlead_\w+) (\w+)$/gm)].map(([, name, type]) => {
    const line = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(text)
    const labels = [...(line?.[1] ?? '').matchAll(/(\w+)="/g)].map((found) => found[1])
    return `${name} ${type} ${labels.join(', ')}`
  })
  assert.deepEqual(documented.toSorted(), shown.toSorted())
})

test('what is too much for its own series is counted in one for all others', () => {
  const announced: Announcement[] = []
  const slab = new MetricsSlab(newSlab(), (announcement) => void announced.push(announcement))
  for (let i = 0; i < SERIES_MAX + 50; i++) slab.record(recordOf({ rule: `a/b/${i}` }))
  const series = announced.filter(({ kind }) => kind === 'series')
  assert.equal(series.length, SERIES_MAX)
  assert.deepEqual(new Set(Object.values(series.at(-1)?.labels ?? {})), new Set(['(others)']))
  assert.equal(announced.filter(({ kind }) => kind === 'histogram').length, HISTOGRAMS_MAX)
})

test('requests that died with their worker are not in flight for ever', async () => {
  const metrics = metricsOf()
  const slab = worker(metrics, 1)
  slab.add('started', 3)
  slab.record(recordOf())
  assert.equal((await scrape(metrics, 'fairlead_requests_in_flight')).get(''), 2)
  metrics.retire(1)
  assert.equal((await scrape(metrics, 'fairlead_requests_in_flight')).get(''), 0)
})

test('a rule that anybody names cannot break the exposition', async () => {
  const metrics = metricsOf()
  worker(metrics, 1).record(recordOf({ rule: 'a/b/"\\\n}', cause: '"', backend: 'x\ny' }))
  const { text } = await metrics.render()
  for (const line of text.split('\n')) {
    assert.match(line, /^$|^#|^[a-z_A-Z:][\w:]*(?:\{(?:[\w]+="(?:[^"\\\n]|\\[\\n"])*",?)*\})? \S+$/)
  }
})
