/**
 * Who owns a host, over generated claims and grants, and case by case.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Claim, type HostRules, ownerOf, refusalOf, wildcardsOver } from './ownership.ts'

const HOSTS = ['*', '*.com', '*.x.com', 'x.com', 'a.x.com', '*.a.x.com', 'b.a.x.com'] as const
const NAMESPACES = ['m', 'n', 'o'] as const

interface Named extends Claim {
  readonly host: string
}

const claim: fc.Arbitrary<Named> = fc.record({
  host: fc.constantFrom(...HOSTS),
  namespace: fc.constantFrom(...NAMESPACES),
  name: fc.constantFrom('r', 's'),
  createdMs: fc.nat(5),
  standing: fc.constantFrom('accepted', 'accepted', 'broken'),
})
const rules: fc.Arbitrary<HostRules> = fc.record({
  grants: fc
    .array(fc.tuple(fc.constantFrom(...HOSTS), fc.subarray([...NAMESPACES], { minLength: 1 })), {
      maxLength: 3,
    })
    .map((list) => new Map(list)),
  ungranted: fc.constantFrom('firstCome', 'refuse'),
})

function claimsOf(all: readonly Named[]) {
  const on = (host: string): readonly Claim[] => all.filter((one) => one.host === host)
  const wildcards = all.some(({ host }) => host.startsWith('*.')) ? 'some' : 'none'
  return { on, wildcards } as const
}

function isOver(wider: string, host: string): boolean {
  return wider.startsWith('*.') && host !== '*' && wider !== host && host.endsWith(wider.slice(1))
}

/**
 * The rule as the documentation says it, host by host from the widest down: who names it first owns
 * it, unless the owner of a wildcard over it is older or a grant decides.
 */
function plainOwner(
  host: string,
  all: readonly Named[],
  { grants, ungranted }: HostRules,
): string | null {
  const over = [...grants.keys()].filter((one) => one === host || isOver(one, host))
  const grant = over.toSorted((a, b) => b.length - a.length || (a === host ? -1 : 1))[0]
  if (grant === undefined && ungranted === 'refuse') return null
  const may = grant === undefined ? null : grants.get(grant)
  const named = all.filter((one) => one.host === host && (may?.includes(one.namespace) ?? true))
  const wildcards = HOSTS.filter((one) => isOver(one, host)).filter(
    (one) => grant === undefined || one === grant || isOver(grant, one),
  )
  // Only the owner of a wildcard owns what is below it, from the age of its oldest route naming it.
  const inherited = wildcards.flatMap((one) => {
    const owner = plainOwner(one, all, { grants, ungranted })
    return all.filter((it) => it.host === one && it.namespace === owner)
  })
  const rank = (one: Named): string =>
    `${one.standing === 'accepted' ? 0 : 1} ${one.createdMs} ${one.namespace} ${one.name}`
  const [first] = [...named, ...inherited].toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
  return first?.namespace ?? null
}

test('the owner is the one that the plain statement names', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...HOSTS),
      fc.array(claim, { maxLength: 8, size: 'max' }),
      rules,
      (host, all, by) => {
        assert.equal(ownerOf(host, claimsOf(all), by).namespace, plainOwner(host, all, by))
      },
    ),
    { numRuns: 2_000 },
  )
})

const FIRST_COME: HostRules = { grants: new Map(), ungranted: 'firstCome' }
const named = (host: string, namespace: string, createdMs: number): Named => {
  return { host, namespace, name: 'r', createdMs, standing: 'accepted' }
}

test('a wildcard gives what is below it, but for what an older route of another namespace names', () => {
  const all = [named('*.x.com', 'm', 2), named('a.x.com', 'n', 1), named('b.x.com', 'o', 3)]
  const owner = (host: string) => ownerOf(host, claimsOf(all), FIRST_COME).namespace
  assert.deepEqual(['*.x.com', 'a.x.com', 'b.x.com'].map(owner), ['m', 'n', 'm'])
})

test('a grant gives what is below a wildcard to others', () => {
  const all = [named('*.x.com', 'm', 1), named('a.x.com', 'n', 2)]
  const by: HostRules = { grants: new Map([['a.x.com', ['n']]]), ungranted: 'firstCome' }
  assert.equal(ownerOf('a.x.com', claimsOf(all), by).namespace, 'n')
})

test('the host of routes without hosts gives nothing below it', () => {
  const all = [named('*', 'm', 1), named('x.com', 'n', 2)]
  assert.equal(ownerOf('x.com', claimsOf(all), FIRST_COME).namespace, 'n')
  assert.equal(ownerOf('*', claimsOf(all), FIRST_COME).namespace, 'm')
})

test('where ungranted hosts are refused nobody owns one, and the sentence says what to do', () => {
  const by: HostRules = { grants: new Map(), ungranted: 'refuse' }
  const owner = ownerOf('x.com', claimsOf([named('x.com', 'm', 1)]), by)
  assert.equal(owner.namespace, null)
  assert.match(refusalOf('x.com', owner), /No grant .* covers "x.com".*ask the operator/)
})

test('a refusal names the owner', () => {
  const owner = ownerOf('x.com', claimsOf([named('x.com', 'm', 1)]), FIRST_COME)
  assert.match(refusalOf('x.com', owner), /belongs to namespace m, whose route m\/r is older/)
  const grants = new Map([['*.com', ['o']]])
  const granted = ownerOf('x.com', claimsOf([]), { grants, ungranted: 'firstCome' })
  assert.match(refusalOf('x.com', granted), /"x.com" is granted to o by "\*.com"/)
})

test('a route of which nothing is valid owns a host only where no other wants it', () => {
  const broken: Named = { ...named('x.com', 'm', 1), standing: 'broken' }
  assert.equal(ownerOf('x.com', claimsOf([broken]), FIRST_COME).namespace, 'm')
  const all = [broken, named('x.com', 'n', 2)]
  assert.equal(ownerOf('x.com', claimsOf(all), FIRST_COME).namespace, 'n')
})

test('a wildcard covers one label or more, and not the bare host', () => {
  assert.deepEqual(wildcardsOver('a.b.x.com'), ['*.b.x.com', '*.x.com', '*.com'])
  assert.deepEqual(wildcardsOver('*.x.com'), ['*.com'])
  assert.deepEqual(wildcardsOver('*'), [])
})
