/**
 * Proves that a body can be read more than once, while it is short.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { BodySink } from '../request/exchange.ts'
import { HandBody } from './fake/outgoing.ts'
import { ReplayBody } from './replay-body.ts'

class Reader implements BodySink {
  text = ''
  state: 'open' | 'ended' | 'aborted' = 'open'
  data(chunk: Buffer): 'more' {
    this.text += chunk.toString('latin1')
    return 'more'
  }
  end(): void {
    this.state = 'ended'
  }
  abort(): void {
    this.state = 'aborted'
  }
}

test('every attempt gets the whole body, in order', () => {
  const chunks = fc.array(fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme-ascii' }))
  fc.assert(
    fc.property(chunks, fc.array(fc.nat(20)), (parts, restarts) => {
      const source = new HandBody()
      const body = new ReplayBody(source)
      let reader = new Reader()
      body.start(reader)
      for (const [i, part] of parts.entries()) {
        source.sink?.data(Buffer.from(part))
        if (!restarts.includes(i)) continue
        body.release()
        reader = new Reader()
        body.start(reader)
      }
      source.sink?.end()
      assert.deepEqual([reader.text, reader.state, body.holds], [parts.join(''), 'ended', 'all'])
    }),
  )
})

test('between two attempts the client waits, and goes on with the next', () => {
  const source = new HandBody()
  const body = new ReplayBody(source)
  body.start(new Reader())
  body.release()
  assert.equal(source.sink?.data(Buffer.from('a')), 'pause')
  const reader = new Reader()
  body.start(reader)
  assert.deepEqual([reader.text, source.resumes], ['a', 1])
})

test('a long body is not kept, and one of a client that left neither', () => {
  const long = new HandBody()
  const body = new ReplayBody(long)
  body.start(new Reader())
  long.sink?.data(Buffer.alloc(64 * 1024))
  assert.equal(body.holds, 'all')
  long.sink?.data(Buffer.alloc(1))
  assert.equal(body.holds, 'part')
  const left = new HandBody()
  const other = new ReplayBody(left)
  other.start(new Reader())
  left.sink?.abort()
  assert.equal(other.holds, 'part')
  const reader = new Reader()
  body.start(reader)
  assert.deepEqual([reader.text, reader.state], ['', 'aborted'], 'a part is not sent as a whole')
})
