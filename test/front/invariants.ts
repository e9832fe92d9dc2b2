/**
 * What holds whatever a client sends: asserted by every test of strictness, and by the fuzzer.
 */
import assert from 'node:assert/strict'
import { type Answered, type Gateway, plainly } from './gateway.ts'

const FRAMING: ReadonlySet<number> = new Set([400, 404, 408, 413, 414, 417, 431, 501, 505])
let canaries = 0

export async function holdsFor(
  gateway: Gateway,
  text: string,
  cuts: readonly number[],
): Promise<Answered> {
  const { backend, records, bugs } = gateway
  const { messages, ends } = plainly(text)
  const before = { requests: backend.requests.length, records: records.length }
  const answered = await gateway.send(text, cuts)
  // The upstream sees at most as many requests as there were complete valid ones.
  const seen = backend.requests.slice(before.requests)
  assert.ok(seen.length <= messages.length, `${seen.length} of ${messages.length} requests`)
  // Every byte sent upstream parses again, to what was sent, in its order.
  assert.deepEqual(backend.errors, [])
  let from = 0
  for (const { first, body } of seen) {
    const at = messages.findIndex(
      (one, i) => i >= from && one.first[0] === first[0] && one.body === body,
    )
    assert.ok(at >= 0, `nobody has sent ${first.join(' ')}`)
    from = at + 1
  }
  // A framing error is answered as one or closed, and nothing after it is served.
  if (ends === 'refused' && answered.statuses.length > messages.length) {
    assert.ok(FRAMING.has(answered.statuses.at(-1) ?? 0), answered.statuses.join())
  }
  assert.ok(answered.statuses.length <= messages.length + 1, answered.statuses.join())
  // One line for each request, in which nothing of ours has failed.
  assert.deepEqual(bugs, [])
  const recorded = records.length - before.records
  assert.ok(recorded >= answered.statuses.length && recorded <= messages.length + 1, `${recorded}`)
  await canary(gateway)
  return answered
}

/** An unrelated request right after, on another connection, gets its own answer. */
async function canary(gateway: Gateway): Promise<void> {
  canaries++
  const path = `/canary-${canaries}`
  const { statuses, bodies } = await gateway.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`, [])
  assert.deepEqual(statuses, [200])
  assert.deepEqual(bodies, [`GET ${path} 0`])
}
