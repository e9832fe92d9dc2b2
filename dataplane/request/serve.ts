/**
 * The life of one request, in order: read this file first. The first phase to answer decides; then
 * the answer is sent but for its last byte, the exchange is recorded, and the last byte goes out.
 * Nothing is awaited where nothing has to be waited for.
 * Pinned by serve.test.ts: "every exchange ends in exactly one record, whatever happens".
 */
import { addresses } from '../phases/addresses.ts'
import { admit, admitBeforeAuth } from '../phases/admit.ts'
import { authenticate } from '../phases/authenticate.ts'
import { boundBody } from '../phases/body.ts'
import { lookUp } from '../phases/cache.ts'
import { preflight } from '../phases/cors.ts'
import { injectFaults } from '../phases/faults.ts'
import { finish } from '../phases/finish.ts'
import { forward } from '../phases/forward.ts'
import { match } from '../phases/match.ts'
import { record } from '../phases/record.ts'
import { respond } from '../phases/respond.ts'
import { rewrite } from '../phases/rewrite.ts'
import { transport } from '../phases/transport.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Exchange } from './exchange.ts'
import { after, firstAnswer, type Phase, type Soon } from './walk.ts'

export const PHASES: readonly Phase[] = [
  transport, // over plain HTTP, where the host says otherwise
  match, // which rule takes it
  addresses, // whom it serves at all
  preflight, // what browsers ask before they let a page of another origin call
  boundBody, // how much it takes from them
  admitBeforeAuth, // limits that count what nobody has vouched for
  authenticate, // who calls, may they, and what the backend learns of them
  admit, // limits that count the caller
  injectFaults, // what is to fail on purpose
  rewrite, // what goes upstream
  lookUp, // whether it was answered before
  forward, // who answers
]

/** Never throws and never rejects. */
export function serve(
  exchange: Exchange,
  runtime: Runtime,
  phases: readonly Phase[] = PHASES,
): Soon<void> {
  const decided = firstAnswer(phases, exchange, runtime) // a throw becomes a Failure
  const responded = after(decided, () => respond(exchange, runtime)) // all but the last byte
  return after(responded, (ending) => {
    record(exchange, ending, runtime) // once, whatever happened above
    finish(exchange, ending, runtime) // the last byte, or the end of the connection
  })
}
