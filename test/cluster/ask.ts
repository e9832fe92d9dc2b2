/**
 * One request with a Host of its own, which fetch does not send, over a connection of its own.
 */
import { request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface Said {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

const WITHIN_MS = 5_000

export function ask(
  url: string,
  host: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const options = { headers: { ...headers, host }, agent: false, timeout: WITHIN_MS }
    const asked = request(url, options, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      answer.on('error', reject)
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })
      })
    })
    asked.on('error', reject)
    asked.on('timeout', () => asked.destroy(new Error(`no answer from ${url}`)))
    asked.end()
  })
}

export interface Traffic {
  /** Ends it: what came back, and how often. */
  stop(): Promise<ReadonlyMap<string, number>>
}

/** Asks one after the other, all the time. */
export function startTraffic(url: string, host: string): Traffic {
  const seen = new Map<string, number>()
  const stopping = new AbortController()
  const going = (async () => {
    while (!stopping.signal.aborted) {
      const said = await ask(url, host).then(({ status }) => String(status), String)
      seen.set(said, (seen.get(said) ?? 0) + 1)
      await delay(5)
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await going
      return seen
    },
  }
}
