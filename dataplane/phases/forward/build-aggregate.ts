/**
 * Prepares an aggregate when its table arrives. Proved by build.test.ts of runtime.
 */
import type { AggregateAction } from '#wire/aggregate'
import type { PrepareEnvironment, Refused, TableReader } from '../../runtime/prepare.ts'
import type { PreparedAggregate } from './prepared-aggregate.ts'

export function buildAggregate(
  _action: AggregateAction,
  _reader: TableReader,
  _env: PrepareEnvironment,
): PreparedAggregate | Refused {
  return { kind: 'refused', because: 'aggregates cannot be executed by this data plane yet' }
}
