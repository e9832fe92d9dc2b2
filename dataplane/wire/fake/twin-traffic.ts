/**
 * What a rule may ask for besides its answer (wire/traffic.ts), as data for the plain twin.
 */
import { is, maybe } from './twin-type.ts'

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
} as const
