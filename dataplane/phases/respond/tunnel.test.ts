/**
 * Proves what an exchange is while its protocol is switched.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeAnswer, fakeExchange } from '../../../test/fake/exchange.ts'
import type { Exchange } from '../../request/exchange.ts'
import { type Failure, fail } from '../../request/failure.ts'
import { Later } from '../../request/later.ts'
import type { Tunnel, TunnelSide } from '../../request/tunnel.ts'
import type { Ending } from './ending.ts'
import { tunnelled } from './tunnel.ts'

class Side implements TunnelSide {
  readonly calls: string[] = []
  pace: 'more' | 'pause' = 'more'
  data(chunk: Buffer): 'more' | 'pause' {
    this.calls.push(chunk.toString())
    return this.pace
  }
  end(): void {
    this.calls.push('END')
  }
  resume(): void {
    this.calls.push('RESUME')
  }
  abort({ cause }: Failure): void {
    this.calls.push(cause)
  }
}

class Backend extends Side implements Tunnel {
  client: TunnelSide | null = null
  open(client: TunnelSide): void {
    this.client = client
  }
}

interface Rig {
  readonly exchange: Exchange
  readonly answer: FakeAnswer
  readonly backend: Backend
  readonly client: Side
  readonly endings: Ending[]
  /** Where each gives its bytes. */
  readonly fromClient: TunnelSide
  readonly fromBackend: TunnelSide
}

function rig(): Rig {
  const { exchange, answer } = fakeExchange({ upgrade: 'websocket' })
  const backend = new Backend()
  const client = new Side()
  const endings: Ending[] = []
  answer.tunnel = client
  const passing = tunnelled(backend, { status: 101, headers: [], content: 'none' }, exchange)
  assert.ok(passing instanceof Later)
  void passing.then((ending) => endings.push(ending))
  assert.ok(answer.backend !== null && backend.client !== null)
  const sides = { fromClient: answer.backend, fromBackend: backend.client }
  return { exchange, answer, backend, client, endings, ...sides }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a tunnel is one exchange, recorded when both ways have ended', async () => {
  const { exchange, backend, client, endings, fromClient, fromBackend } = rig()
  fromClient.data(Buffer.from('hello'))
  client.pace = 'pause'
  assert.equal(fromBackend.data(Buffer.from('hi')), 'pause')
  fromBackend.resume()
  fromClient.end()
  await turn()
  assert.deepEqual([backend.calls, endings], [['hello', 'END'], []])
  fromBackend.data(Buffer.from('bye'))
  fromBackend.end()
  await turn()
  // The end of the last way is what finish says, once there is a record.
  assert.deepEqual(client.calls, ['hi', 'RESUME', 'bye'])
  assert.deepEqual(endings, [{ kind: 'last', chunk: null, trailers: null }])
  assert.deepEqual([exchange.status, exchange.bytesIn, exchange.bytesOut], [101, 5, 5])
  assert.equal(exchange.broken, null)
  fromBackend.abort(fail('upstream-reset', ''))
  fromClient.end()
  assert.equal(exchange.broken, null)
})

test('a backend that ends first leaves the client its way', async () => {
  const { backend, client, endings, fromClient, fromBackend } = rig()
  fromBackend.end()
  fromBackend.end()
  fromClient.data(Buffer.from('more'))
  await turn()
  assert.deepEqual([client.calls, backend.calls, endings], [['END'], ['more'], []])
  fromClient.end()
  await turn()
  assert.deepEqual([backend.calls, endings.length], [['more', 'END'], 1])
})

test('whoever breaks off ends both ways, and the record says who', async () => {
  const lost = rig()
  lost.fromBackend.abort(fail('upstream-reset', ''))
  await turn()
  assert.deepEqual(lost.endings, [{ kind: 'broken' }])
  assert.equal(lost.exchange.broken?.cause, 'upstream-reset')
  const left = rig()
  left.answer.leave()
  await turn()
  assert.deepEqual([left.endings, left.backend.calls], [[{ kind: 'broken' }], ['client-closed']])
  assert.equal(left.exchange.broken?.cause, 'client-closed')
})

test('a client that has not waited gets no tunnel', () => {
  const { exchange, answer } = fakeExchange({ upgrade: 'websocket' })
  const backend = new Backend()
  const failure = tunnelled(backend, { status: 101, headers: [], content: 'none' }, exchange)
  assert.ok(!(failure instanceof Later))
  assert.equal(failure.cause, 'upgrade-refused')
  assert.deepEqual([backend.calls, answer.started], [['upgrade-refused'], false])
})
