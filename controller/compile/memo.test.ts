/**
 * The memo against steps that read everything there is to read, under random edits.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { World, type Written } from '../../test/fake/world.ts'
import { chunksOf, keepChunks } from './chunks.ts'
import { createMemo, keepIf, type Memo, type Recorder, type Step } from './memo.ts'
import type { Remembered, Snapshot } from './snapshot.ts'

const NAMESPACES = ['a', 'b'] as const
const NAMES = ['x', 'y', 'z'] as const

interface Steps {
  readonly story: (at: Recorder) => readonly unknown[]
  /** How often each step ran, by name. */
  readonly runs: Map<string, number>
}

type Count = (name: string) => void

/** Values of objects, and chains from object to object. */
function objectSteps(memo: Memo, count: Count) {
  const value = memo.step<number>({
    name: 'value',
    run(key, at) {
      count('value')
      const [namespace = '', name = ''] = key.split('/')
      const of = at.reader.get('Service', namespace, name)?.content['value']
      return typeof of === 'number' ? of : -1
    },
  })
  const follows: Step<string> = memo.step<string>({
    name: 'follows',
    run(key, at) {
      const [namespace = '', name = ''] = key.split('/')
      const next = at.reader.get('Service', namespace, name)?.content['next']
      // Only ever to a later name, so that there is no circle.
      const further = NAMES.find((one) => one === next && one > name)
      return further === undefined ? key : `${key} ${at.ask(follows, `${namespace}/${further}`)}`
    },
  })
  return { value, follows }
}

/** A sum over chunks of all keys that comes first, and a map that does, with its entries. */
function sumSteps(memo: Memo, value: Step<number>, count: Count) {
  const keys = memo.step({
    name: 'keys',
    keep: keepChunks,
    run: (_, at) =>
      chunksOf(
        [...at.reader.all('Service')].flatMap(([namespace, names]) =>
          [...names.keys()].map((name) => `${namespace}/${name}`),
        ),
      ),
  })
  const total = memo.step<number>({
    name: 'total',
    turn: 'first',
    run(_, at) {
      count('total')
      const values = at.ask(keys, '').flatMap((chunk) => at.askAll(value, chunk))
      return values.reduce((sum, one) => sum + one, 0)
    },
  })
  const evens = memo.step<ReadonlyMap<string, string>>({
    name: 'evens',
    turn: 'first',
    run(namespace, at) {
      const found = new Map<string, string>()
      for (const name of at.reader.list('Service', namespace).keys()) {
        const is = at.ask(value, `${namespace}/${name}`)
        if (is % 2 === 0) found.set(name, is > 10 ? 'large' : 'small')
      }
      return found
    },
  })
  return { total, even: memo.entriesOf(evens) }
}

/** A small compile with everything that a step can ask. */
function stepsOn(memo: Memo): Steps {
  const runs = new Map<string, number>()
  const count: Count = (name) => void runs.set(name, (runs.get(name) ?? 0) + 1)
  const { value, follows } = objectSteps(memo, count)
  const { total, even } = sumSteps(memo, value, count)
  const much = memo.step<string>({
    name: 'much',
    run: (_, at) => (at.ask(total, '') > 20 ? 'many' : 'few'),
  })
  const entry = memo.step<string>({
    name: 'entry',
    keep: keepIf((a, b) => a === b),
    run(key, at) {
      count('entry')
      return `${key}: ${at.ask(even, key) ?? 'odd'} of ${at.ask(much, '')}`
    },
  })
  const word = memo.step<string>({
    name: 'word',
    run: (namespace, at) =>
      [
        at.reader.secretsForbidden(namespace),
        at.reader.installation.defaultGateway,
        at.reader.remembered('ApiRoute', namespace, 'x')?.generation,
      ].join(' '),
  })
  const story = (at: Recorder): readonly unknown[] => {
    // Asked for only at times: results must also survive not being wanted.
    const chains = at.ask(total, '') % 3 === 0 ? NAMES : []
    const of = (namespace: string): readonly unknown[] => [
      at.ask(word, namespace),
      ...NAMES.map((name) => at.ask(entry, `${namespace} ${name}`)),
      ...chains.map((name) => at.ask(follows, `${namespace}/${name}`)),
    ]
    return [at.ask(total, ''), ...NAMESPACES.flatMap(of)]
  }
  return { story, runs }
}

function fresh(snapshot: Snapshot): readonly unknown[] {
  const memo = createMemo()
  return memo.over(snapshot, stepsOn(memo).story)
}

function service(namespace: string, name: string, content: object): Written {
  return { kind: 'Service', metadata: { namespace, name }, ...content }
}

type Edit = (world: World) => void
const place = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  name: fc.constantFrom(...NAMES),
})
const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc
    .tuple(place, fc.nat(20), fc.constantFrom(...NAMES))
    .map(([{ namespace, name }, value, next]): Edit => {
      return (world) => void world.apply(service(namespace, name, { value, next }))
    }),
  place.map(
    ({ namespace, name }): Edit =>
      (world) =>
        void world.remove('Service', namespace, name),
  ),
  fc.constantFrom(...NAMESPACES).chain((namespace) =>
    fc.constantFrom('no', null).map((sentence): Edit => {
      return (world) => void world.forbidSecrets(namespace, sentence)
    }),
  ),
)

function remembering(snapshot: Snapshot, generation: number): Snapshot {
  const memory: Remembered = { uid: 'u', generation, spec: {} }
  return { ...snapshot, remembered: new Map([['ApiRoute a/x', memory]]) }
}

test('after any edits a memo says what a fresh one says', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEdit, fc.nat(2)), { size: 'max', maxLength: 60 }), (edits) => {
      const world = new World()
      const memo = createMemo()
      const { story } = stepsOn(memo)
      for (const [edit, generation] of edits) {
        edit(world)
        const snapshot = remembering(world.snapshot(), generation)
        assert.deepEqual(memo.over(snapshot, story), fresh(snapshot))
      }
    }),
    { numRuns: 200 },
  )
})

test('a step runs again only where something that it read has changed', () => {
  const world = new World()
  const memo = createMemo()
  const { story, runs } = stepsOn(memo)
  for (const name of NAMES) world.apply(service('a', name, { value: 1 }))
  memo.over(world.snapshot(), story)
  runs.clear()
  memo.over(world.snapshot(), story)
  assert.deepEqual([...runs], [])
  world.apply(service('a', 'x', { value: 3 }))
  memo.over(world.snapshot(), story)
  assert.deepEqual(
    [...runs],
    [
      ['value', 1],
      ['total', 1],
    ],
    'no entry is even, so none is looked at',
  )
  runs.clear()
  world.apply(service('a', 'x', { value: 2 }))
  memo.over(world.snapshot(), story)
  assert.deepEqual(
    [...runs],
    [
      ['value', 1],
      ['total', 1],
      ['entry', 1],
    ],
  )
})

test('an absent object that appears is noticed', () => {
  const world = new World()
  const memo = createMemo()
  const { story } = stepsOn(memo)
  memo.over(world.snapshot(), story)
  world.apply(service('a', 'x', { value: 4 }))
  assert.equal(memo.over(world.snapshot(), story)[0], 4)
})

test('what nobody asks for any more is let go', () => {
  const world = new World()
  const memo = createMemo()
  let ran = 0
  const one = memo.step<number>({
    name: 'one',
    run(key, at) {
      ran += 1
      return at.reader.get('Service', 'a', key) === null ? 0 : 1
    },
  })
  memo.over(world.snapshot(), (at) => at.ask(one, 'x'))
  memo.over(world.snapshot(), () => 0)
  memo.over(world.snapshot(), (at) => at.ask(one, 'x'))
  assert.equal(ran, 2)
})

test('a step of the second turn runs once a snapshot, after those of the first', () => {
  const memo = createMemo()
  const world = new World().apply(service('a', 'x', { value: '1' }))
  const seen: string[] = []
  const textOf = (at: Recorder): string => {
    return String(at.reader.get('Service', 'a', 'x')?.content['value'])
  }
  const direct = memo.step<string>({ name: 'direct', run: (_, at) => textOf(at) })
  const first = memo.step<string>({ name: 'first', turn: 'first', run: (_, at) => textOf(at) })
  const above = memo.step<string>({ name: 'above', run: (_, at) => at.ask(first, '') })
  const second = memo.step<string>({
    name: 'second',
    turn: 'second',
    run(_, at) {
      const text = `${at.ask(direct, '')}${at.ask(above, '')}`
      seen.push(text)
      return text
    },
  })
  const top = memo.step<string>({ name: 'top', run: (_, at) => `top ${at.ask(second, '')}` })
  const told = (value: string): string => {
    world.apply(service('a', 'x', { value }))
    return memo.over(world.snapshot(), (at) => at.ask(top, ''))
  }
  assert.deepEqual(['1', '2', '3'].map(told), ['top 11', 'top 22', 'top 33'])
  assert.deepEqual(seen, ['11', '22', '33'])
})

test('a step that asks for its own result is a mistake of ours', () => {
  const memo = createMemo()
  const loop: Step<number> = memo.step<number>({
    name: 'loop',
    run: (key, at) => at.ask(loop, key),
  })
  assert.throws(() => memo.over(new World().snapshot(), (at) => at.ask(loop, '')), /its own result/)
})

test('a step that throws runs again the next time, and so does whatever depended on it', () => {
  const memo = createMemo()
  const world = new World()
  const fragile = memo.step<number>({
    name: 'fragile',
    turn: 'first',
    run(_, at) {
      const value = at.reader.get('Service', 'a', 'x')?.content['value']
      if (value === 'bad') throw new TypeError('a bug')
      return value === 'good' ? 1 : 0
    },
  })
  const above = memo.step<number>({ name: 'above', run: (_, at) => at.ask(fragile, '') + 1 })
  const story = (at: Recorder): number => at.ask(above, '')
  assert.equal(memo.over(world.snapshot(), story), 1)
  world.apply(service('a', 'x', { value: 'bad' }))
  assert.throws(() => memo.over(world.snapshot(), story), /a bug/)
  world.apply(service('a', 'x', { value: 'good' }))
  assert.equal(memo.over(world.snapshot(), story), 2)
})
