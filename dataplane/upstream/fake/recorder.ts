/**
 * A TCP server that plays the upstream in tests: it reads requests by a strict reading of RFC 9112
 * of its own, records every byte, and answers exactly the bytes that the test gives it.
 */
import { createServer, type Server, type Socket } from 'node:net'

export interface Recorded {
  /** Which connection, counted from 1, and which request on it. */
  readonly connection: number
  readonly nth: number
  readonly method: string
  readonly target: string
  /** Flat list. */
  readonly headers: readonly string[]
  readonly head: string
  body: string
  /** The body has come whole. */
  ended: 'yes' | 'no'
}

export interface Script {
  /** At the end of a request's head. */
  head?(request: Recorded, socket: Socket): void
  /** At the end of its body. */
  request?(request: Recorded, socket: Socket): void
  connection?(socket: Socket, nth: number): void
}

export interface Recorder {
  readonly port: number
  readonly requests: Recorded[]
  readonly sockets: Socket[]
  /** What could not be read as HTTP/1.1. */
  readonly errors: string[]
  close(): Promise<void>
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

export async function startRecorder(script: Script): Promise<Recorder> {
  const requests: Recorded[] = []
  const sockets: Socket[] = []
  const errors: string[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    const connection = sockets.length
    socket.on('error', () => undefined)
    socket.setNoDelay(true)
    const reader = new Reader(connection, { requests, errors, script, socket })
    script.connection?.(socket, connection)
    socket.on('data', (chunk: Buffer) => reader.read(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: portOf(server), requests, sockets, errors, close: () => closeAll(server, sockets) }
}

export function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return address.port
}

async function closeAll(server: Server, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.destroy()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

interface Context {
  readonly requests: Recorded[]
  readonly errors: string[]
  readonly script: Script
  readonly socket: Socket
}

class Reader {
  readonly #connection: number
  readonly #context: Context
  #bytes = ''
  #nth = 0
  #current: Recorded | null = null
  #left: number | 'chunked' | 'nothing' = 'nothing'

  constructor(connection: number, context: Context) {
    this.#connection = connection
    this.#context = context
  }

  read(chunk: Buffer): void {
    this.#bytes += chunk.toString('latin1')
    while (this.#step() === 'progress');
  }

  #step(): 'progress' | 'wait' {
    if (this.#current === null) return this.#head()
    return this.#left === 'chunked' ? this.#chunk() : this.#length()
  }

  #head(): 'progress' | 'wait' {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end < 0) return 'wait'
    const head = this.#bytes.slice(0, end)
    this.#bytes = this.#bytes.slice(end + 4)
    const [line = '', ...fields] = head.split('\r\n')
    const [method = '', target = '', version = ''] = line.split(' ')
    if (version !== 'HTTP/1.1') this.#context.errors.push(`request line ${JSON.stringify(line)}`)
    const headers = fields.flatMap((field) => this.#field(field))
    this.#nth++
    const nth = this.#nth
    const connection = this.#connection
    const came = { connection, nth, method, target, headers, head }
    const request: Recorded = { ...came, body: '', ended: 'no' }
    this.#left = this.#framing(headers)
    this.#current = request
    this.#context.requests.push(request)
    this.#context.script.head?.(request, this.#context.socket)
    return 'progress'
  }

  #field(field: string): string[] {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon)
    if (!NAME.test(name)) this.#context.errors.push(`field ${JSON.stringify(field)}`)
    return [name, field.slice(colon + 1).trim()]
  }

  #framing(headers: readonly string[]): number | 'chunked' {
    const lengths = valuesOf(headers, 'content-length')
    const codings = valuesOf(headers, 'transfer-encoding')
    const hosts = valuesOf(headers, 'host')
    const { errors } = this.#context
    if (hosts.length !== 1) errors.push(`${hosts.length} hosts`)
    if (lengths.length + codings.length > 1) errors.push('framed twice')
    if (codings.length > 0 && codings[0] !== 'chunked') errors.push(`coding ${codings[0]}`)
    if (codings.length > 0) return 'chunked'
    const length = lengths[0] ?? '0'
    if (!/^\d+$/.test(length)) errors.push(`length ${length}`)
    return Number(length)
  }

  #length(): 'progress' | 'wait' {
    if (this.#current === null || typeof this.#left !== 'number') return 'wait'
    const taken = this.#bytes.slice(0, this.#left)
    this.#current.body += taken
    this.#bytes = this.#bytes.slice(taken.length)
    this.#left -= taken.length
    if (this.#left > 0) return 'wait'
    return this.#end(this.#current)
  }

  #chunk(): 'progress' | 'wait' {
    const line = this.#bytes.indexOf('\r\n')
    if (this.#current === null || line < 0) return 'wait'
    const size = Number.parseInt(this.#bytes.slice(0, line), 16)
    if (!/^[0-9a-fA-F]+$/.test(this.#bytes.slice(0, line))) this.#context.errors.push('chunk line')
    if (this.#bytes.length < line + 2 + size + 2) return 'wait'
    this.#current.body += this.#bytes.slice(line + 2, line + 2 + size)
    this.#bytes = this.#bytes.slice(line + 2 + size + 2)
    return size === 0 ? this.#end(this.#current) : 'progress'
  }

  #end(request: Recorded): 'progress' {
    this.#current = null
    this.#left = 'nothing'
    request.ended = 'yes'
    this.#context.script.request?.(request, this.#context.socket)
    return 'progress'
  }
}

/** Of every field of that name, without case. */
export function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() === name) values.push(headers[i + 1] ?? '')
  }
  return values
}

/** A whole answer with its length. */
export function answerOf(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** Waits until it holds, and says what did not where it never does. */
export async function until(what: string, holds: () => unknown, limitMs = 5_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
