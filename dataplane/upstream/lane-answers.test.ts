/**
 * Proves our own lane against backends that send anything at all, in any pieces: the client sees
 * exactly what a plain reading of the bytes says, or a failure, and whoever asks next gets his own.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import * as fc from 'fast-check'
import { mutated, mutation } from '../http1/fake/messages.ts'
import { answer, STRANGE } from './fake/answers.ts'
import {
  headOf,
  idle,
  type Read,
  readAll,
  recorder,
  send,
  type Sent,
  textOf,
  upstreamOf,
} from './fake/outgoing.ts'
import { type PlainAnswer, plainAnswer } from './fake/plain-answer.ts'
import { answerOf, type Recorder, until } from './fake/recorder.ts'
import type { UndiciUpstream } from './undici.ts'

/** What a backend sends to the next request for /hostile. */
interface Script {
  readonly pieces: readonly string[]
  readonly last: 'fin' | 'open'
}

class Hostile {
  readonly upstream: UndiciUpstream
  readonly #server: Recorder
  #script: Script = { pieces: [], last: 'fin' }
  #sent: Promise<void> = Promise.resolve()

  static async start(t: TestContext): Promise<Hostile> {
    const box: { hostile: Hostile | null } = { hostile: null }
    const server = await recorder(t, {
      request: ({ target }, socket) => box.hostile?.answer(target, socket),
    })
    box.hostile = new Hostile(server, upstreamOf(t, [server.port]))
    return box.hostile
  }

  constructor(server: Recorder, upstream: UndiciUpstream) {
    this.#server = server
    this.upstream = upstream
  }

  answer(target: string, socket: Socket): void {
    if (target === '/hostile') this.#sent = this.#play(socket)
    else socket.write(answerOf(`yours ${target}`))
  }

  async #play(socket: Socket): Promise<void> {
    const { pieces, last } = this.#script
    for (const piece of pieces) {
      if (socket.destroyed) return
      await new Promise<void>((resolve) => socket.write(piece, 'latin1', () => resolve()))
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (last === 'fin') socket.end()
  }

  /** What comes of it, and whether the next one gets his own. */
  async ask(method: string, script: Script): Promise<{ readonly sent: Sent; readonly seen: Seen }> {
    this.#script = script
    const sent = send(this.upstream, { method, target: '/hostile' })
    const seen = await seenOf(sent)
    await this.#sent
    await idle()
    const next = `/${Math.random()}`
    assert.equal(await textOf(this.upstream, { target: next }), `yours ${next}`)
    assert.deepEqual(this.#server.errors, [])
    const [asked, other] = this.#server.requests.slice(-2)
    const isKept = asked?.connection === other?.connection
    const { surplus, end } = plainAnswer(method, script.pieces.join(''))
    if (surplus !== '' || end === 'broken') assert.ok(!isKept, 'its connection is used again')
    return { sent, seen }
  }
}

type Seen =
  | { readonly kind: 'failed'; readonly cause: string }
  | {
      readonly kind: 'answered'
      readonly head: PlainAnswer['head']
      readonly read: Read
    }

async function seenOf(sent: Sent): Promise<Seen> {
  const outcome = await sent.outcome
  if ('kind' in outcome) return { kind: 'failed', cause: outcome.cause }
  const { status, headers } = outcome
  return { kind: 'answered', head: { status, headers }, read: await readAll(outcome) }
}

function compare(plain: PlainAnswer, sent: Sent, seen: Seen): void {
  assert.deepEqual(sent.interims, plain.interims.slice(0, sent.interims.length))
  if (seen.kind === 'failed') {
    assert.match(seen.cause, /^upstream-(invalid|reset)$/)
    return assert.equal(plain.head, null)
  }
  const { text, failure, trailers } = seen.read
  assert.deepEqual(seen.head, plain.head)
  if (plain.end === 'broken') {
    assert.ok(plain.body.startsWith(text), `${text} is not of ${plain.body}`)
    return assert.match(failure?.cause ?? 'it ended', /^upstream-(invalid|reset)$/)
  }
  assert.deepEqual(
    { text, failure, trailers },
    { text: plain.body, failure: null, trailers: plain.trailers },
  )
}

function piecesOf(text: string, cuts: readonly number[]): readonly string[] {
  const ends = [...cuts.toSorted((a, b) => a - b), text.length]
  return ends
    .map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end))
    .filter((piece) => piece !== '')
}

/** A backend that says no more and does not close either would have to be waited for. */
function lastOf(plain: PlainAnswer, wanted: Script['last']): Script['last'] {
  return plain.end === 'complete' && plain.self === 'ended' ? wanted : 'fin'
}

test('whatever a backend sends, the client sees exactly that or a failure', async (t) => {
  const hostile = await Hostile.start(t)
  const change = fc.oneof(
    mutation,
    mutation.chain((one) => fc.constantFrom(...STRANGE).map((put) => ({ ...one, put }))),
  )
  const input = fc
    .tuple(answer, fc.array(change, { maxLength: 3 }), fc.constantFrom('', '', ...STRANGE))
    .chain(([text, changes, tail]) => {
      const all = mutated(text, changes) + tail
      return fc.tuple(fc.constant(all), fc.array(fc.nat(all.length), { maxLength: 5 }))
    })
  await fc.assert(
    fc.asyncProperty(
      input,
      fc.constantFrom('GET', 'HEAD', 'POST'),
      fc.constantFrom('fin', 'open'),
      async ([text, cuts], method, wanted) => {
        const plain = plainAnswer(method, text)
        const script = { pieces: piecesOf(text, cuts), last: lastOf(plain, wanted) }
        const { sent, seen } = await hostile.ask(method, script)
        compare(plain, sent, seen)
      },
    ),
    { numRuns: 400 },
  )
})

const WHOLE = [
  'HTTP/1.1 103 E\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-B: 1\r\n\r\n',
  'HTTP/1.0 404 No\r\n\r\nuntil the end',
]

test('an answer is the same wherever it is cut', async (t) => {
  const hostile = await Hostile.start(t)
  for (const text of WHOLE) {
    const plain = plainAnswer('GET', text)
    assert.equal(plain.end, 'complete')
    for (let cut = 0; cut < text.length; cut++) {
      const script = { pieces: piecesOf(text, [cut]), last: lastOf(plain, 'open') }
      const { sent, seen } = await hostile.ask('GET', script)
      compare(plain, sent, seen)
    }
  }
})

test('an answer that ends anywhere before its end is a failure', async (t) => {
  const hostile = await Hostile.start(t)
  for (const text of WHOLE.slice(0, 2)) {
    for (let cut = 0; cut < text.length; cut++) {
      const short = text.slice(0, cut)
      // Nobody sees a connection that closes before a byte of the answer: the request is repeated.
      if (cut === 0) continue
      const { sent, seen } = await hostile.ask('POST', { pieces: [short], last: 'fin' })
      const plain = plainAnswer('POST', short)
      assert.equal(plain.end, 'broken')
      compare(plain, sent, seen)
    }
  }
})

test('what comes after an answer ends its connection', async (t) => {
  const surplus = 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison'
  for (const gap of ['at once', 'a turn later']) {
    const server = await recorder(t, {
      request: ({ nth }, socket) => {
        const first = answerOf(nth > 1 ? 'second' : 'first')
        socket.write(gap === 'at once' ? first + surplus : first)
        if (gap !== 'at once') setImmediate(() => socket.write(surplus))
      },
    })
    const upstream = upstreamOf(t, [server.port])
    assert.equal(await textOf(upstream), 'first')
    // Sooner than it would be for being idle.
    await until('the connection is given up', () => server.sockets[0]?.destroyed, 3_000)
    assert.equal(await textOf(upstream), 'first')
    assert.deepEqual(
      server.requests.map(({ connection }) => connection),
      [1, 2],
    )
  }
})

test('a backend that speaks before it is asked is not heard', async (t) => {
  let spoken = 0
  const server = await recorder(t, {
    connection: (socket) => {
      if (spoken++ === 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison')
    },
    request: (_, socket) => void socket.write(answerOf('mine')),
  })
  const upstream = upstreamOf(t, [server.port])
  const outcome = await send(upstream).outcome
  if (!('kind' in outcome)) {
    // The bytes came after the request had been sent: nobody can tell, but it is the last of them.
    await readAll(outcome)
    await idle()
  }
  assert.equal(await textOf(upstream), 'mine')
})

test('an answer that waits to be read is not overwritten by another', async (t) => {
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(3_000))
  const server = await recorder(t, {
    request: ({ target }, socket) => void socket.write(answerOf(texts[Number(target[1])] ?? '')),
  })
  const upstream = upstreamOf(t, [server.port])
  const heads = []
  for (const i of texts.keys()) {
    heads.push(headOf(await send(upstream, { target: `/${i}` }).outcome))
  }
  await idle()
  for (const [i, head] of heads.entries()) assert.equal((await readAll(head)).text, texts[i])
})
