/**
 * How requests are brought to backends (wire/delivery.ts), as data for the plain twin.
 */
import { is, maybe } from './twin-type.ts'

export const retry = {
  attempts: 'n',
  causes: [is('connect', 'reset', 'timeout')],
  statuses: ['n'],
  methods: ['s'],
  perTryMs: maybe('n'),
  backoff: { baseMs: 'n', maxMs: 'n' },
  budgetPerMille: 'n',
} as const

export const delivery = {
  'connectMs?': 'n',
  'firstByteMs?': 'n',
  'idleMs?': 'n',
  'retry?': retry,
  'hedge?': { afterMs: 'n' },
} as const

export const circuit = { 'requests?': 'n' } as const
export const health = {
  outliers: {
    errors: 'n',
    'gatewayErrors?': 'n',
    'successPerMille?': 'n',
    ejectionMs: 'n',
    ejectionMaxMs: 'n',
    outMaxPerMille: 'n',
  },
  panicPerMille: 'n',
} as const
