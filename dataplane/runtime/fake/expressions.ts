/**
 * Random expressions over a few variables, for tests that compare two ways of evaluating them. What
 * is typed evaluates often; some parts are of any type, so that failures must agree too.
 */
import fc from 'fast-check'

type Typed = {
  int: string
  num: string
  bool: string
  text: string
  list: string
  map: string
  any: string
}
type Kinds = { readonly [K in keyof Typed]: fc.Arbitrary<string> }
type Source = fc.Arbitrary<string>

/** Variables that the expressions read; `x` is that of macros. */
export const NAMES = ['i', 'big', 'd', 'u', 's', 'e', 'b', 'n', 'l', 'w', 'm'] as const

/** The library takes `true` for a position, and doubles for keys. */
const index = fc.constantFrom('0', '1', 'i', 'big', '1u', '1.0', '-1', '"k"', 's', 'x')
const key = fc.constantFrom('"k"', '"10"', 's', '1', 'i', 'true', '2u')
/** An empty one tears pairs of surrogates apart in the library. */
const separator = fc.constantFrom('","', '"a"', 's', 'i', 'm.s')
const order = fc.constantFrom('==', '!=', '<', '<=', '>', '>=')

const grammar = fc.letrec<Typed>((tie) => {
  const kinds: Kinds = {
    int: tie('int'),
    num: tie('num'),
    bool: tie('bool'),
    text: tie('text'),
    list: tie('list'),
    map: tie('map'),
    any: tie('any'),
  }
  return {
    int: ints(kinds),
    num: numbers(kinds),
    bool: bools(kinds),
    text: texts(kinds),
    list: lists(kinds),
    map: maps(kinds),
    any: anything(kinds),
  }
})

export const expressionSource: Source = fc.oneof(
  grammar.int,
  grammar.bool,
  grammar.text,
  grammar.list,
  grammar.any,
)

function all({ int, num, bool, text, list, map }: Kinds): Source {
  return fc.oneof(int, num, bool, text, list, map)
}

/** Leaves first: the depth ends there. */
function one({ any }: Kinds, ...sources: Source[]): Source {
  return fc.oneof({ maxDepth: 4, depthSize: 'small', withCrossShrink: true }, ...sources, any)
}

function binary(side: Source, ...operators: string[]): Source {
  const operator = fc.constantFrom(...operators)
  return fc.tuple(side, operator, side).map(([l, o, r]) => `(${l} ${o} ${r})`)
}

function compared(side: Source): Source {
  return fc.tuple(side, order, side).map(([l, o, r]) => `(${l} ${o} ${r})`)
}

function macro({ list }: Kinds, body: Source, ...names: string[]): Source {
  const name = fc.constantFrom(...names)
  return fc.tuple(list, name, body).map(([l, n, e]) => `(${l}).${n}(x, ${e})`)
}

function method(target: Source, argument: Source, ...names: string[]): Source {
  const name = fc.constantFrom(...names)
  return fc.tuple(target, name, argument).map(([l, n, r]) => `(${l}).${n}(${r})`)
}

function ints(kinds: Kinds): Source {
  const { int, num, text, list, map } = kinds
  return one(
    kinds,
    fc.constantFrom('i', 'm.k', '0', '1', '-2', '9223372036854775807', 'big', 'l[0]', 'x'),
    binary(int, '+', '-', '*', '/', '%'),
    fc.oneof(text, list, map).map((value) => `size(${value})`),
    method(text, text, 'indexOf'),
    num.map((value) => `int(${value})`),
    int.map((value) => `(-(${value}))`),
  )
}

function numbers(kinds: Kinds): Source {
  const doubles = kinds.int.map((value) => `double(${value})`)
  return one(kinds, kinds.int, fc.constantFrom('d', '1.0', '2.5', 'u', '2u'), doubles)
}

function bools(kinds: Kinds): Source {
  const { num, bool, text, list, map } = kinds
  return one(
    kinds,
    fc.constantFrom('b', 'true', 'false', 'm.none', 'has(m.k)', 'has(m.none)'),
    binary(bool, '&&', '||'),
    compared(num),
    compared(text),
    binary(all(kinds), '==', '!='),
    fc.tuple(all(kinds), list).map(([item, where]) => `(${item} in ${where})`),
    fc.tuple(key, map).map(([item, where]) => `(${item} in ${where})`),
    macro(kinds, bool, 'all', 'exists', 'exists_one'),
    method(text, text, 'startsWith', 'endsWith', 'contains'),
    bool.map((value) => `!(${value})`),
  )
}

function texts(kinds: Kinds): Source {
  const { num, bool, text, list } = kinds
  return one(
    kinds,
    fc.constantFrom('s', 'e', 'm.s', '"a"', "'k'", '"10"', 'w[1]', 'x'),
    binary(text, '+'),
    fc.oneof(num, bool, text).map((value) => `string(${value})`),
    method(text, fc.constant(''), 'lowerAscii', 'upperAscii', 'trim'),
    method(list, text, 'join'),
  )
}

function lists(kinds: Kinds): Source {
  const { bool, text, list } = kinds
  return one(
    kinds,
    fc.constantFrom('l', 'w', 'm.l', '[]', '[1, 2u, 3.0]', '[null, true]'),
    fc.tuple(all(kinds), all(kinds)).map(([l, r]) => `[${l}, ${r}]`),
    binary(list, '+'),
    macro(kinds, all(kinds), 'map'),
    macro(kinds, bool, 'filter'),
    method(text, separator, 'split'),
  )
}

function maps(kinds: Kinds): Source {
  return one(
    kinds,
    fc.constantFrom('m', '{}', '{"a": {"k": 1}}'),
    fc.tuple(key, all(kinds)).map(([k, v]) => `{${k}: ${v}}`),
  )
}

function anything(kinds: Kinds): Source {
  const some = all(kinds)
  return fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom('n', 'null', 'x'),
    fc.tuple(kinds.bool, some, some).map(([when, yes, no]) => `(${when} ? ${yes} : ${no})`),
    fc.tuple(some, index).map(([where, at]) => `(${where})[${at}]`),
    some.map((value) => `(${value}).k`),
    some.map((value) => `type(${value})`),
    some.map((value) => `dyn(${value})`),
  )
}
