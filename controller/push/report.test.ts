/**
 * Promises of report.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeReport, type ReportFrame, reportLines } from './report.ts'

const name = fc.string({ minLength: 1, maxLength: 40 })
const count = fc.nat()
const rejection = fc.record({
  kind: fc.constantFrom('rule' as const, 'backend' as const),
  key: name,
  sources: fc.array(fc.record({ kind: name, name, uid: name, generation: count }), {
    maxLength: 2,
  }),
  reason: name,
})
const member = fc.record({
  dataPlane: name,
  connectedAtMs: count,
  version: fc.option(count),
  rejected: fc.array(rejection, { maxLength: 2 }),
  refused: fc.option(name),
})
const frame: fc.Arbitrary<ReportFrame> = fc.oneof(
  fc.record({ type: fc.constant('hello' as const), replica: name }),
  fc.record({
    type: fc.constant('carried' as const),
    gateway: name,
    resources: fc.array(fc.record({ uid: name, generation: count, version: count })),
  }),
  fc.record({
    type: fc.constant('members' as const),
    gateway: name,
    newest: count,
    members: fc.array(member, { maxLength: 5 }),
  }),
)

/** As JSON has it: generated objects have no prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

test('no bytes make the decoder throw, and what was told is what is heard', () => {
  fc.assert(
    fc.property(frame, (told) => {
      const heard = [...reportLines(told)].map((line) => decodeReport(line.trimEnd()))
      assert.deepEqual(heard, [{ kind: 'frame', frame: plain(told) }])
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(decodeReport(bytes).kind, 'refused')
    }),
  )
  fc.assert(
    fc.property(frame, fc.json(), fc.nat(), (told, other, at) => {
      const keys = Object.keys(told)
      const changed = { ...told, [keys[at % keys.length] ?? '']: JSON.parse(other) }
      const decoded = decodeReport(JSON.stringify(changed))
      if (decoded.kind === 'frame') assert.deepEqual(decoded.frame, plain(changed))
    }),
  )
})

test('the resources of a large table are told in parts', () => {
  const resources = Array.from({ length: 4_500 }, (_, i) => ({
    uid: `u${i}`,
    generation: 1,
    version: 1,
  }))
  const parts = [...reportLines({ type: 'carried', gateway: 'a/g', resources })]
  const heard = parts.map((line) => decodeReport(line.trimEnd()))
  assert.equal(parts.length, 3)
  assert.deepEqual(
    heard.flatMap((one) =>
      one.kind === 'frame' && one.frame.type === 'carried' ? one.frame.resources : [],
    ),
    resources,
  )
})
