/**
 * What a rule may ask for besides its answer (wire/traffic.ts), as data for the plain twin.
 */
import { delivery } from './twin-delivery.ts'
import { is, maybe, or } from './twin-type.ts'

export const reject = { kind: is('reject'), status: 'n', cause: 's', because: 's' } as const
export const target = or({ kind: is('backend'), backend: 's' }, reject)

export const traffic = {
  'cors?': {
    origins: ['s'],
    methods: maybe(['s']),
    headers: ['s'],
    expose: ['s'],
    credentials: is('allowed', 'refused'),
    maxAgeS: maybe('n'),
  },
  'addresses?': { allow: maybe(['s']), deny: ['s'] },
  'body?': { bytesMax: 'n' },
  'faults?': {
    delay: maybe({ share: 'n', ms: 'n' }),
    abort: maybe({ share: 'n', status: 'n' }),
  },
  'cache?': {
    ttlS: 'n',
    audience: is('private', 'shared'),
    by: [{ of: is('consumer', 'header', 'query', 'claim'), name: 's' }],
    staleIfErrorS: 'n',
    'staleWhileRevalidateS?': 'n',
  },
  'compression?': { types: ['s'], minBytes: 'n' },
  'mirror?': { to: target, share: 'n' },
  'delivery?': delivery,
} as const
