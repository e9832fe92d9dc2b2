/**
 * The contract test: sessions that were recorded with a version of the wire still mean the same to
 * the data plane and the controller of today.
 */
import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeFrame, decodeUpFrame } from '#wire/decode'
import type { UpFrame } from '#wire/session'
import { DATA_PLANE, RECORDED, dataPlane, readRecording, saidIn } from './replay.ts'
import type { Replayed } from './replay.ts'

const DOWN = '{"down":'
const UP = '{"up":'

/** What the data plane of today says where the recorded one said something. */
class Listener {
  readonly #plane: Replayed
  #said: UpFrame | null = null

  constructor(plane: Replayed) {
    this.#plane = plane
  }

  async play(line: string): Promise<void> {
    if (line === '{"stream":"opens"}') this.#said = this.#plane.apply.resume(DATA_PLANE)
    else if (line.startsWith(UP)) this.#compare(line.slice(UP.length, -1))
    else await this.#hear(line.slice(DOWN.length, -1))
  }

  #compare(frame: string): void {
    const decoded = decodeUpFrame(frame)
    assert.equal(decoded.kind, 'decoded', frame)
    assert.deepEqual(this.#said, decoded.kind === 'decoded' ? decoded.value : null)
    this.#said = null
  }

  async #hear(frame: string): Promise<void> {
    assert.equal(this.#said, null, 'it said something that was not recorded')
    const decoded = decodeFrame(frame)
    assert.ok(decoded.kind === 'decoded', frame)
    // What the recorded workers would not swap, and what they rejected, is not in the frames.
    const reply = await this.#plane.apply.take({
      kind: 'frame',
      frame: decoded.value,
      bytes: frame.length,
    })
    assert.notEqual(reply.kind, 'end', JSON.stringify(reply))
    this.#said = saidIn(reply)
  }
}

/** The workers of the recording, as its answers show them. */
function behaveAs(plane: Replayed, next: string | undefined): void {
  const decoded = next?.startsWith(UP) === true ? decodeUpFrame(next.slice(UP.length, -1)) : null
  if (decoded?.kind !== 'decoded') return
  plane.workers.bug = decoded.value.type === 'refuse' ? 'a bug' : null
  if (decoded.value.type === 'ack') plane.workers.rejects = decoded.value.rejected
}

test('a recorded session replays to the same table', async () => {
  const names = (await readdir(RECORDED))
    .filter((file) => file.endsWith('.ndjson'))
    .map((file) => file.replace('.ndjson', ''))
  assert.ok(names.includes('v1'))
  for (const name of names) {
    const lines = await readRecording(name)
    const plane = dataPlane()
    const listener = new Listener(plane)
    for (const [i, line] of lines.entries()) {
      behaveAs(plane, lines[i + 1])
      await listener.play(line)
    }
    const expected: unknown = JSON.parse(
      await readFile(join(RECORDED, `${name}.table.json`), 'utf8'),
    )
    assert.deepEqual(plane.result(), expected, name)
  }
})

test('a recording holds every frame that there is', async () => {
  const text = (await readRecording('v1')).join('\n')
  const types = 'hello begin put drop endpoints commit ping resume ack refuse'.split(' ')
  for (const type of types) assert.ok(text.includes(`{"type":"${type}"`), type)
  for (const from of ['snapshot', 'delta']) assert.ok(text.includes(`"from":{"kind":"${from}"`))
})
