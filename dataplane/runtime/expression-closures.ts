/**
 * CEL as closures: each expression of a table is parsed and bound once, when the table arrives, and
 * costs no more than the JavaScript that one would have written by hand. Equal texts share one.
 * Pinned by expression.test.ts: "every variable and function of the vocabulary evaluates".
 */
import type { parse } from '@bufbuild/cel'
import { scanExpression, utf8Bytes } from '#wire/expression-text'
import { EXPRESSION_BYTES_MAX, EXPRESSION_NESTING_MAX } from '#wire/limits'
import type { Expression } from '#wire/value'
import { createBudget, refill, type Budget } from './budget.ts'
import { build, Unpreparable, type Build } from './expression-build.ts'
import { within } from './expression-operators.ts'
import { ExpressionFailure, type Prepared, type Scope } from './expression-types.ts'
import { createAccessors, type Evaluate } from './expression-variables.ts'
import { preparePattern, type Pattern } from './pattern.ts'
import type { Refused } from './prepare.ts'

/** Null: not loaded yet, and wanted from now on. */
export interface Parser {
  get(): typeof parse | null
}

/** A hundred files of the library come with it. */
export async function loadParser(): Promise<typeof parse> {
  return (await import('@bufbuild/cel')).parse
}

/** One per worker: holds the bounded caches and the budget that evaluations share. */
export interface Expressions {
  prepare(source: Expression, locals?: readonly string[]): Prepared | Refused
  pattern(text: string): Pattern | Refused
  /** Of the evaluation that runs, for what templates add to it. */
  readonly budget: Budget
}

/** Texts of 10,000 routes with three expressions each; a closure takes about a kilobyte. */
const SHARED_MAX = 30_000

export function expressionsWith(parser: Parser): Expressions {
  const budget = createBudget()
  const accessors = createAccessors(budget)
  const patterns = new Map<string, Pattern | Refused>()
  const prepared = new Map<string, Prepared | Refused>()
  const pattern = (text: string): Pattern | Refused =>
    shared(patterns, text, () => preparePattern(text))
  return {
    budget,
    pattern,
    prepare(source, locals = []) {
      const parseText = parser.get()
      if (parseText === null) return NOT_LOADED
      return shared(prepared, [source, ...locals].join('\0'), () => {
        const count = { nodes: 0 }
        const bound = new Map<string, never>()
        const context = { locals, budget, accessors, pattern, bound, nesting: 0, count }
        return preparedOf(source, context, parseText)
      })
    },
  }
}

/** Of a table that is built once more, with the parser, before anybody hears of it. */
const NOT_LOADED: Refused = { kind: 'refused', because: 'the parser of expressions is not loaded' }

/** The oldest goes when there are too many; who holds it keeps it. */
function shared<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key)
  if (known !== undefined) return known
  const made = make()
  cache.set(key, made)
  const [oldest] = cache.size > SHARED_MAX ? cache.keys() : []
  if (oldest !== undefined) cache.delete(oldest)
  return made
}

function preparedOf(
  source: Expression,
  context: Build,
  parseText: typeof parse,
): Prepared | Refused {
  const bounds = outOfBounds(source)
  if (bounds !== null) return { kind: 'refused', because: bounds }
  try {
    const { run } = build(parseText(source).expr, context)
    return closure(source, run, context.budget)
  } catch (error) {
    if (error instanceof Unpreparable) return { kind: 'refused', because: error.message }
    const because = error instanceof Error ? error.message : String(error)
    return { kind: 'refused', because: `the expression does not parse: ${because}` }
  }
}

/** The same bounds as the controller's, because what arrives decides how deep the parser goes. */
function outOfBounds(source: string): string | null {
  if (utf8Bytes(source) > EXPRESSION_BYTES_MAX) return 'the expression is too long'
  const { deepest } = scanExpression(source, 0, 'whole')
  return deepest > EXPRESSION_NESTING_MAX ? 'the expression nests too deep' : null
}

const BROKEN = new ExpressionFailure('the evaluation broke off')

function closure(source: Expression, run: Evaluate, budget: Budget): Prepared {
  const evaluate: Evaluate = (scope) => {
    refill(budget)
    try {
      return within(budget, run(scope))
    } catch {
      return BROKEN // the stack's end, or a getter of a scope
    }
  }
  return {
    source,
    evaluate,
    test(scope: Scope) {
      const value = evaluate(scope)
      if (value === true) return 'true'
      return value === false ? 'false' : 'failed'
    },
  }
}
