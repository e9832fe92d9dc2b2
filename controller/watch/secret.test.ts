/**
 * Promises of secret.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import { seal } from './secret.ts'

test('a secret shows itself in no way but reveal', () => {
  const secret = seal(Buffer.from('hunter2'))
  const shown = [
    secret.toString(),
    JSON.stringify({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
    format('%s %o %O %j', secret, secret, secret, secret),
    Object.values(secret).join(),
  ].join('\n')
  assert.ok(!shown.includes('hunter2') && !shown.includes('68 75 6e'), shown)
  assert.equal(secret.reveal().toString(), 'hunter2')
})
