/**
 * A failure for a client of gRPC: a head that is the whole answer, with the status of gRPC and the
 * detail of the problem in it. What else the head of the problem said still stands.
 * Pinned by grpc-head.test.ts: "the head says what the problem document would, and is all there is".
 */
import type { Failure } from '../../request/failure.ts'
import { grpcMessage, grpcStatus } from '../../request/grpc.ts'
import { isSameName } from '../../request/headers.ts'
import type { Head } from './head.ts'

/** `type`: of the request; a client expects its own. */
export function grpcHead({ headers }: Head, failure: Failure, type: string): Head {
  const own = ['content-type', type]
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (isSameName(name, 'content-type') || isSameName(name, 'content-length')) continue
    own.push(name, headers[i + 1] ?? '')
  }
  own.push('grpc-status', String(grpcStatus(failure)), 'grpc-message', grpcMessage(failure.detail))
  return { status: 200, headers: own, content: 'none' }
}
