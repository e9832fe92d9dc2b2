/**
 * A client of HTTP/2 that writes any frame, also those that no library would send, and reads what
 * comes back frame by frame. Fields are never compressed, so that they can be anything.
 */
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const

export const END_STREAM = 1
export const END_HEADERS = 4
export const ACK = 1

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly id: number
  readonly payload: Buffer
}

export function frame(
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

export const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(TYPE.settings, 0, 0),
])

/** Literal fields, never indexed (RFC 7541 section 6.2.3). */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  const parts: Buffer[] = []
  for (const [name, value] of fields) {
    parts.push(Buffer.from([0x10]), text(name), text(value))
  }
  return Buffer.concat(parts)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
  length.push(rest)
  return Buffer.concat([Buffer.from(length), bytes])
}

export type Fields = readonly (readonly [string, string])[]

export function requestFields(method: string, path: string, more: Fields = []): Fields {
  return [
    [':method', method],
    [':path', path],
    [':scheme', 'http'],
    [':authority', 'shop.example.com'],
    ...more,
  ]
}

/** The head of a request in one frame. */
export function headers(id: number, fields: Fields, end: 'last' | 'open' = 'last'): Buffer {
  const flags = END_HEADERS | (end === 'last' ? END_STREAM : 0)
  return frame(TYPE.headers, flags, id, block(fields))
}

export function data(id: number, bytes: string | Buffer, end: 'last' | 'open' = 'last'): Buffer {
  return frame(TYPE.data, end === 'last' ? END_STREAM : 0, id, Buffer.from(bytes))
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export interface FrameClient {
  readonly socket: Socket
  readonly frames: Frame[]
  state: 'open' | 'closed'
  /** Errors of streams and of the connection: RST_STREAM and GOAWAY. */
  resets(): readonly { readonly id: number; readonly code: number }[]
  goaway(): number | null
  /** Streams that have ended with END_STREAM. */
  ended(): readonly number[]
  send(...frames: readonly Buffer[]): void
}

/** Acknowledges settings and nothing else. */
export function frameClient(t: TestContext, port: number): FrameClient {
  return framesOver(t, connect({ host: '127.0.0.1', port }))
}

export function framesOver(t: TestContext, socket: Socket): FrameClient {
  const frames: Frame[] = []
  let rest = Buffer.alloc(0)
  const client: FrameClient = {
    socket,
    frames,
    state: 'open',
    resets: () =>
      frames
        .filter(({ type }) => type === TYPE.reset)
        .map(({ id, payload }) => ({ id, code: payload.readUInt32BE(0) })),
    goaway: () =>
      frames.findLast(({ type }) => type === TYPE.goaway)?.payload.readUInt32BE(4) ?? null,
    ended: () =>
      frames
        .filter(({ type, flags }) => type <= TYPE.headers && (flags & END_STREAM) !== 0)
        .map(({ id }) => id),
    send: (...list) => void (socket.writable && socket.write(Buffer.concat([...list]))),
  }
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let one = take(rest); one !== null; one = take(rest)) {
      frames.push(one)
      rest = rest.subarray(9 + one.payload.length)
      if (one.type === TYPE.settings && (one.flags & ACK) === 0) {
        client.send(frame(TYPE.settings, ACK, 0))
      }
    }
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    client.state = 'closed'
  })
  t.after(() => socket.destroy())
  client.send(PREFACE)
  return client
}

function take(bytes: Buffer): Frame | null {
  if (bytes.length < 9) return null
  const length = bytes.readUIntBE(0, 3)
  if (bytes.length < 9 + length) return null
  return {
    type: bytes[3] ?? 0,
    flags: bytes[4] ?? 0,
    id: bytes.readUInt32BE(5) & 0x7fffffff,
    payload: bytes.subarray(9, 9 + length),
  }
}
