/**
 * Each rule is written twice, in CEL and as a function; the library that the data plane uses for CEL
 * is the judge of the first.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { celEnv, isCelError, parse, plan } from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import fc from 'fast-check'
import { Findings } from './findings.ts'
import { inspect } from './inspect.ts'
import { KINDS } from './kinds.ts'
import type { Rule, SchemaNode } from './schema.ts'
import { valueOf } from './fake/value.ts'

interface Ruled {
  readonly name: string
  readonly node: SchemaNode
  readonly rule: Rule<unknown>
}

/** One of each rule: the same text on the same kind of node is the same rule. */
function allRules(): readonly Ruled[] {
  const found = new Map<string, Ruled>()
  const visit = (node: SchemaNode, name: string): void => {
    for (const rule of node.rules ?? []) found.set(`${rule.cel}`, { name, node, rule })
    for (const [key, child] of Object.entries(node.properties ?? {})) visit(child, `${name}.${key}`)
    if (node.items !== undefined) visit(node.items, `${name}[]`)
    if (node.additionalProperties !== undefined) visit(node.additionalProperties, `${name}{}`)
  }
  for (const facts of Object.values(KINDS)) visit(facts.spec, facts.kind)
  return [...found.values()]
}

const environment = celEnv({ funcs: strings })

/** Whole numbers are ints in the API server. */
function celOf(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(celOf)
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([key, item]) => [key, celOf(item)]))
}

test('CEL and check agree on every rule of every schema', () => {
  const rules = allRules()
  assert.ok(rules.length > 60, `${rules.length} rules`)
  for (const { name, node, rule } of rules) {
    if (rule.cel === null) continue
    const judge = plan(environment, parse(rule.cel))
    let kept = 0
    fc.assert(
      fc.property(valueOf(node, 3), (value) => {
        const verdict = judge({ self: celOf(value) as never })
        if (isCelError(verdict)) {
          // As for the sunset of a rule that is no moment: then that is what is said.
          const findings = new Findings()
          const { rules: _, ...structure } = node
          inspect(structure, value, { parent: null, step: 'spec' }, findings)
          assert.notEqual(findings.count, 0, `${name}: ${verdict.message}`)
          return
        }
        const checked = rule.check(value)
        if (checked) kept += 1
        assert.equal(verdict, checked, `${name}: ${rule.cel} on ${JSON.stringify(value)}`)
      }),
      { numRuns: 200, seed: 7 },
    )
    assert.ok(kept > 0, `${name}: no generated value keeps ${rule.cel}`)
  }
})
