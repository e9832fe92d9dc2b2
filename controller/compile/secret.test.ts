/**
 * Secrets that resources name.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SecretKeyRefSpec } from '../../crds/reference.ts'
import { grant, resource, world } from './fake/world.ts'
import { FieldPath, type Problem } from './problem.ts'
import { resolveSecret } from './secret.ts'
import type { StepWithin } from './steps.ts'

const AT = new FieldPath<SecretKeyRefSpec>('ref')
const USE = { from: 'AuthPolicy', type: 'fairlead.dev/pepper', key: 'pepper' } as const
const PEPPER = resource('Secret', 'pepper', { type: USE.type, secrets: ['pepper', 'old'] })

function resolve(ref: SecretKeyRefSpec, within: StepWithin): ReturnType<typeof resolveSecret> {
  return resolveSecret(ref, AT, USE, within)
}

function problem(ref: SecretKeyRefSpec, within: StepWithin): Problem {
  const { value, problems } = resolve(ref, within)
  assert.equal(value, null)
  const [first, ...others] = problems
  assert.ok(first !== undefined && others.length === 0)
  return first
}

test('a Secret is found by its name, and the key by the use or by the reference', () => {
  const within = world([PEPPER])
  assert.equal(resolve({ name: 'pepper' }, within).value?.key, 'shop/pepper:pepper')
  assert.equal(resolve({ name: 'pepper', key: 'old' }, within).value?.key, 'shop/pepper:old')
  assert.equal(String(resolve({ name: 'pepper' }, within).value?.bytes), '[secret]')
})

test('a Secret is used only if its type fits the use', () => {
  for (const type of ['Opaque', 'kubernetes.io/tls', undefined]) {
    const secret = resource('Secret', 'pepper', {
      ...(type === undefined ? {} : { type }),
      secrets: ['pepper'],
    })
    const { reason, sentence } = problem({ name: 'pepper' }, world([secret]))
    assert.equal(reason, 'SecretInvalid')
    assert.match(sentence, new RegExp(`has type ${type ?? 'Opaque'} instead of`))
    assert.match(sentence, /kubectl -n shop create secret generic pepper --type=fairlead.dev/)
  }
})

test('a Secret with a certificate is made by the command for it', () => {
  const use = { from: 'ApiRoute', type: 'kubernetes.io/tls', key: 'tls.crt' } as const
  const ask = (within: StepWithin): string => {
    const { problems } = resolveSecret({ name: 'cert' }, new FieldPath('ref'), use, within)
    return problems[0]?.sentence ?? ''
  }
  const command = /kubectl -n shop create secret tls cert --cert=FILE --key=FILE$/
  assert.match(ask(world()), command)
  const opaque = resource('Secret', 'cert', { type: 'Opaque', secrets: ['tls.crt'] })
  assert.match(ask(world([opaque])), command)
  const half = resource('Secret', 'cert', { type: use.type, secrets: ['tls.key'] })
  assert.match(ask(world([half])), /has no key "tls\.crt"; delete it and create it anew: kubectl/)
})

test('a missing Secret, a missing key and a forbidden namespace each say what to do', () => {
  assert.match(problem({ name: 'pepper' }, world()).sentence, /create it: kubectl -n shop/)
  const wrongKey = problem({ name: 'pepper', key: 'none' }, world([PEPPER]))
  assert.match(wrongKey.sentence, /has no key "none"/)
  const forbidden = world([], { secretsForbidden: { shop: 'Run this to grant it.' } })
  assert.equal(problem({ name: 'pepper' }, forbidden).sentence, 'Run this to grant it.')
})

test('a Secret of another namespace needs a grant there', () => {
  const other = resource('Secret', 'pepper', {
    namespace: 'vault',
    type: USE.type,
    secrets: ['pepper'],
  })
  const ref = { name: 'pepper', namespace: 'vault' }
  const refused = problem(ref, world([other]))
  assert.equal(refused.reason, 'RefNotPermitted')
  assert.equal(refused.path, 'ref.namespace')
  const granted = world([other, grant('vault', 'AuthPolicy', { group: '', kind: 'Secret' })])
  assert.equal(resolve(ref, granted).value?.key, 'vault/pepper:pepper')
})
