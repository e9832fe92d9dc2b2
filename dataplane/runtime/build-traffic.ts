/**
 * What a rule asks for besides its answer, made ready: null for each thing that it does not use, so
 * that its phase costs one check.
 * Pinned by build-traffic.test.ts: "what a rule does not use is null".
 */
import type { Traffic } from '#wire/traffic'
import { prepareAddresses } from '../phases/addresses.ts'
import { prepareCors } from '../phases/cors/prepared.ts'
import { prepareCompression } from '../phases/respond/encoding.ts'
import type { PreparedRule } from './runtime.ts'

export type PreparedTraffic = Pick<
  PreparedRule,
  'cors' | 'addresses' | 'bodyBytesMax' | 'faults' | 'mirror' | 'compression' | 'cache'
>

export function buildTraffic({
  cors,
  addresses,
  body,
  faults,
  mirror,
  compression,
  cache,
}: Traffic): PreparedTraffic {
  return {
    cors: cors === undefined ? null : prepareCors(cors),
    addresses: addresses === undefined ? null : prepareAddresses(addresses),
    bodyBytesMax: body?.bytesMax ?? null,
    faults: faults ?? null,
    mirror: mirror?.to.kind === 'backend' ? { ...mirror.to, share: mirror.share } : null,
    compression: compression === undefined ? null : prepareCompression(compression),
    cache: cache ?? null,
  }
}
