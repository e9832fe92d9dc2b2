/**
 * Sends what respond has held back, once the exchange is recorded: the last byte, or the end of a
 * connection whose answer will never be complete. The last step of a request's walk.
 * Pinned by finish.test.ts: "an answer that cannot be finished ends its connection".
 */
import type { Exchange } from '../request/exchange.ts'
import { reportBug } from '../request/walk.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Ending } from './respond/ending.ts'

/** Never throws. */
export function finish(exchange: Exchange, ending: Ending, runtime: Runtime): void {
  try {
    end(exchange, ending)
  } catch (error) {
    reportBug(error, exchange, runtime)
    destroy(exchange)
  }
}

function end({ answer }: Exchange, ending: Ending): void {
  switch (ending.kind) {
    case 'whole':
      answer.head(ending.status, ending.headers)
      answer.end(ending.body, null)
      return
    case 'last':
      answer.end(ending.chunk, ending.trailers)
      return
    case 'broken':
      answer.destroy()
      return
    default:
      ending satisfies never
  }
}

function destroy({ answer }: Exchange): void {
  try {
    answer.destroy()
  } catch {
    // the bug was reported; the connection's own end follows, and there is nothing left to say
  }
}
