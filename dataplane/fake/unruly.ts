/**
 * Workers that misbehave, and clients that notice whatever goes wrong.
 */
import { Agent, request } from 'node:http'
import type { TestContext } from 'node:test'
import { BroadcastChannel } from 'node:worker_threads'
import { type Misdeed, UNRULY_CHANNEL } from './plane.ts'

export const UNRULY = new URL('./unruly-worker.ts', import.meta.url)

export function tempt(t: TestContext): (misdeed: Misdeed) => void {
  const channel = new BroadcastChannel(UNRULY_CHANNEL)
  t.after(() => channel.close())
  return (misdeed) => channel.postMessage(misdeed)
}

/** Asks again and again, on new and on kept connections, until it is told to stop. */
export function load(
  t: TestContext,
  port: number,
  path: string,
): () => Promise<Map<string, number>> {
  const seen = new Map<string, number>()
  const end = new AbortController()
  const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const running = Array.from({ length: 6 }, async (_, i) => {
    const agent = i % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : new Agent()
    while (!end.signal.aborted) note(await once(port, path, agent))
    agent.destroy()
  })
  t.after(() => end.abort())
  return async () => {
    end.abort()
    await Promise.all(running)
    return seen
  }
}

function once(port: number, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, path, agent }, (response) => {
      let body = ''
      response.setEncoding('latin1')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve(`${response.statusCode} ${body}`))
      response.on('error', (error) => resolve(error.message))
    })
    sent.on('error', (error) => resolve(error.message))
    sent.end()
  })
}
