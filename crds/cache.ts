/**
 * Which answers of a rule are kept, and for how long.
 * Proved by decode.test.ts.
 */
import { matching } from './rule.ts'
import { Fields, Flag, List, type Spec, Text } from './schema.ts'
import { CacheBy, Duration } from './text.ts'

export const CacheSchema = Fields({
  about: 'Keeps answers, each for its consumer unless shared.',
  example: '{ ttl: 60s, by: [consumer, "header:accept-language"], staleIfError: 10m }',
  required: {
    ttl: Duration({
      about: 'How long an answer is served again; the answer itself may say less.',
      example: '60s',
    }),
  },
  optional: {
    by: List({
      about: 'What answers differ by, besides method, host, path and query.',
      example: '[consumer, "header:accept-language"]',
      absent: '[consumer]',
      item: CacheBy({}),
      max: 16,
    }),
    shared: Flag({
      about: 'Whether consumers may see answers made for others.',
      example: 'true',
      absent: 'false',
    }),
    staleIfError: Duration({
      about: 'How long beyond ttl an answer stands in for a failing backend.',
      example: '10m',
      absent: '0s',
    }),
    staleWhileRevalidate: Duration({
      about: 'How long beyond ttl an answer is served while the backend is asked for a new one.',
      example: '30s',
      absent: '0s',
    }),
    tags: List({
      about: 'Names by which answers are purged.',
      example: '[books]',
      item: Text({
        min: 1,
        max: 63,
        rules: [matching('^[A-Za-z0-9]([A-Za-z0-9._-]*)$', 'Write a word such as books.')],
      }),
      max: 16,
    }),
  },
})

export type CacheSpec = Spec<typeof CacheSchema>
