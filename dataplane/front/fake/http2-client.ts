/**
 * Node's own client of HTTP/2, one request at a call.
 */
import { once } from 'node:events'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import type { TestContext } from 'node:test'

export function session(t: TestContext, port: number): ClientHttp2Session {
  const client = connect(`http://127.0.0.1:${port}`)
  client.on('error', () => undefined)
  t.after(() => client.destroy())
  return client
}

export interface Got {
  readonly head: IncomingHttpHeaders & { readonly ':status'?: number }
  readonly body: string
  readonly trailers: IncomingHttpHeaders
}

export async function ask(
  client: ClientHttp2Session,
  fields: Readonly<Record<string, string | string[]>>,
  body: string | null = null,
): Promise<Got> {
  const stream = client.request(
    { ':authority': 'shop.example.com', ...fields },
    { endStream: body === null },
  )
  if (body !== null) stream.end(body)
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', (got) => {
    trailers = got
  })
  const [head] = await once(stream, 'response')
  await once(stream, 'close')
  return { head, body: text, trailers }
}
