/**
 * A record as phases/record makes it, for tests of what becomes of records.
 */
import type { ExchangeRecord } from '../request/record.ts'

export function recordOf(some: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return {
    id: '01ABCDEFGHJKMNPQRSTVWXYZ01',
    startedAtMs: 1_700_000_000_123,
    durationMs: 1.23456,
    upstreamMs: 1,
    protocol: '1.1',
    method: 'GET',
    scheme: 'http',
    host: 'shop.example.com',
    path: '/books/1',
    ip: '192.0.2.1',
    peer: '10.0.0.1',
    userAgent: 'curl/8',
    route: 'shop/shop',
    rule: 'shop/shop/books',
    authMethod: null,
    consumer: null,
    status: 200,
    by: 'upstream',
    cause: null,
    fault: null,
    word: null,
    backend: 'shop/books:80',
    bytesIn: 0,
    bytesOut: 5,
    complete: true,
    partial: false,
    observed: [],
    ...some,
  }
}
