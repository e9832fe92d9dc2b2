/**
 * Frames from bytes: strict, never throwing, and quick enough for a table of 10,000 routes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SAMPLES, SOURCE } from '../../test/wire/samples.ts'
import { decodeFrame, decodeUpFrame } from '#wire/decode'
import { FRAME_BYTES_MAX, REJECTIONS_MAX, UP_FRAME_BYTES_MAX } from '#wire/limits'
import type { DownFrame, UpFrame } from '#wire/session'
import { downTwin, mutated, upTwin } from './fake/twin.ts'

const HASH = '0123456789abcdef'.repeat(4)
const basis = { ApiRoute: '1000', 'Secret/shop': '0' }
const endpoints = [{ address: '10.0.0.1', port: 8080, zone: null }]

const DOWN: readonly DownFrame[] = [
  { type: 'hello', version: 1, gateway: 'a/b', controller: 'c', epoch: '0', basis },
  { type: 'begin', from: { kind: 'snapshot' } },
  { type: 'begin', from: { kind: 'delta', hash: HASH } },
  ...SAMPLES.map((object): DownFrame => ({ type: 'put', object })),
  { type: 'drop', kind: 'rule', key: 'shop/shop/full' },
  { type: 'endpoints', set: { backend: 'shop/books:80', version: 7, endpoints } },
  { type: 'commit', basis, hash: HASH, trace: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
  { type: 'commit', basis: {}, hash: HASH, trace: null },
  { type: 'ping', hash: HASH, endpointsHash: HASH },
]
const rejected = [{ kind: 'rule', key: 'a/b/c', sources: [SOURCE], reason: 'No.' }] as const
const UP: readonly UpFrame[] = [
  { type: 'resume', version: 1, dataPlane: 'pod-1', epoch: '3', basis, hash: null },
  { type: 'resume', version: 1, dataPlane: 'pod-1', epoch: '0', basis: {}, hash: HASH },
  { type: 'ack', basis, hash: HASH, rejected },
  { type: 'refuse', hash: HASH, reason: 'Its hash does not fit.' },
]

test('every frame decodes to itself, from text and from bytes', () => {
  for (const frame of DOWN) {
    const text = JSON.stringify(frame)
    assert.deepEqual(decodeFrame(text), { kind: 'decoded', value: frame })
    assert.deepEqual(decodeFrame(Buffer.from(text)), { kind: 'decoded', value: frame })
    assert.equal(decodeUpFrame(text).kind, 'refused')
    assert.equal(downTwin(frame), true)
  }
  for (const frame of UP) {
    assert.deepEqual(decodeUpFrame(JSON.stringify(frame)), { kind: 'decoded', value: frame })
    assert.equal(decodeFrame(JSON.stringify(frame)).kind, 'refused')
    assert.equal(upTwin(frame), true)
  }
})

/** Both decoders on one line: neither throws, and what they accept the twin accepts. */
function judge(line: Uint8Array | string): void {
  const down = decodeFrame(line)
  if (down.kind === 'decoded') assert.equal(downTwin(down.value), true)
  const up = decodeUpFrame(line)
  if (up.kind === 'decoded') assert.equal(upTwin(up.value), true)
}

test('no bytes make the decoder throw or accept what the plain twin refuses', () => {
  const frames = [...DOWN, ...UP]
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), judge), { numRuns: 2_000 })
  fc.assert(fc.property(fc.json(), judge), { numRuns: 2_000 })
  fc.assert(
    fc.property(mutated(fc.constantFrom(...frames)), (frame) => judge(JSON.stringify(frame))),
    { numRuns: 10_000 },
  )
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(fc.constantFrom(...frames), edits, (frame, changes) => {
      const bytes = Buffer.from(JSON.stringify(frame))
      for (const [place, byte] of changes) bytes[place % bytes.length] = byte
      judge(bytes)
    }),
    { numRuns: 10_000 },
  )
})

test('a frame cut anywhere is refused', () => {
  const text = JSON.stringify(DOWN.at(-2))
  for (let end = 0; end < text.length; end += 1) {
    assert.equal(decodeFrame(text.slice(0, end)).kind, 'refused')
  }
})

function sentence(line: Uint8Array | string): string {
  const decoded = decodeFrame(line)
  return decoded.kind === 'refused' ? decoded.fault.sentence : ''
}

test('a frame beyond its bytes is refused before it is parsed', () => {
  assert.match(sentence(' '.repeat(FRAME_BYTES_MAX + 1)), /longer than/)
  const up = decodeUpFrame(' '.repeat(UP_FRAME_BYTES_MAX + 1))
  assert.match(up.kind === 'refused' ? up.fault.sentence : '', /longer than/)
})

test('more rejections than the contract has room for are refused', () => {
  const many = Array.from({ length: REJECTIONS_MAX + 1 }, () => rejected[0])
  const line = JSON.stringify({ type: 'ack', basis, hash: HASH, rejected: many })
  assert.equal(decodeUpFrame(line).kind, 'refused')
})

test('bytes that are no UTF-8 are refused, and what is refused is not quoted', () => {
  assert.equal(sentence(Buffer.from([0x22, 0xff, 0x22])), 'is not JSON')
  assert.equal(sentence('{"type":"put","object":{"kind":"secret","value":topsecret'), 'is not JSON')
})

test('versions with leading zeros, signs or fractions are no basis', () => {
  for (const version of ['01', '-1', '1.0', '', ' 1', '1e3', '9'.repeat(40)]) {
    const line = JSON.stringify({ type: 'commit', basis: { A: version }, hash: HASH, trace: null })
    assert.equal(decodeFrame(line).kind, 'refused', version)
  }
})

function took(work: (text: string) => void, texts: readonly string[]): number {
  const started = performance.now()
  for (let i = 0; i < 30_000; i += 1) work(texts[i % texts.length] ?? '')
  return performance.now() - started
}

test('30,000 rules are decoded in little more time than JSON.parse needs', () => {
  const rules = DOWN.filter((frame) => frame.type === 'put' && frame.object.kind === 'rule')
  const texts = rules.map((frame) => JSON.stringify(frame))
  const ratios = [1, 2, 3].map(
    () => took(decodeFrame, texts) / took((text) => JSON.parse(text), texts),
  )
  // About 2.2 on an idle core of 2026, where the check alone takes 70 ms.
  assert.ok(Math.min(...ratios) < 8, ratios.join())
})
