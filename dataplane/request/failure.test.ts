/**
 * Causes, and what people read about them.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { REJECT_CAUSES } from '#wire/value'
import { FACTS, fail } from './failure.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')

interface Documented {
  readonly cause: string
  readonly status: number
  readonly fault: string
  readonly text: string
}

function documented(): readonly Documented[] {
  return page
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [, cause = '', status, fault = '', text = ''] =
        /^([a-z-]+)\n\nStatus (\d+), fault (\w+)\.\n\n([\s\S]*?)(?:\n## |$)/.exec(section) ?? []
      return { cause, status: Number(status), fault, text }
    })
}

test('docs/errors.md and this table name the same causes', () => {
  const inDocs = documented().map(({ cause, status, fault }) => ({ cause, status, fault }))
  const inCode = Object.entries(FACTS).map(([cause, { status, fault }]) => ({
    cause,
    status,
    fault,
  }))
  assert.deepEqual(inDocs, inCode)
})

test('every cause says in sentences when it happens', () => {
  for (const { cause, text } of documented()) assert.match(text, /^[A-Z].{20,}\.$/m, cause)
})

test('every reject of the table is a cause with the same status', () => {
  for (const cause of REJECT_CAUSES) {
    const failure = fail(cause, 'Because.')
    assert.ok(failure.status === 500 || failure.status === 503)
    assert.equal(failure.fault, 'gateway')
  }
})

test('a failure carries the facts of its cause', () => {
  assert.deepEqual(fail('upstream-reset', 'Reset.', ['a', 'b']), {
    kind: 'fail',
    cause: 'upstream-reset',
    word: null,
    status: 502,
    fault: 'upstream',
    retry: 'ifReused',
    detail: 'Reset.',
    headers: ['a', 'b'],
  })
})
