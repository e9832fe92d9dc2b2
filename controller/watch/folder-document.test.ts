/**
 * Promises of folder-document.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keysOf, parseFile } from './folder-document.ts'

test("a problem's path leads to its line and column", () => {
  const text =
    'kind: X\nspec:\n  limits:\n    "a b": { rate: 1 }\n  rules:\n  - name: one\n  - name: two\n    match:\n    - path: /\n'
  const [object] = parseFile(text).objects
  assert.deepEqual(object?.locate('spec.rules[1].match[0].path'), { line: 9, column: 7 })
  assert.deepEqual(object?.locate('spec.limits["a b"].rate'), { line: 4, column: 14 })
  assert.deepEqual(object?.locate('spec.rules[1].missing.deeper'), { line: 7, column: 5 })
  assert.deepEqual(object?.locate(''), { line: 1, column: 1 })
})

test('a path is split into names, positions and quoted keys', () => {
  assert.deepEqual(keysOf('spec.rules[2].a["x.y[0]"].b'), ['spec', 'rules', 2, 'a', 'x.y[0]', 'b'])
})

test('of a file that breaks off, the first problem is told, as a sentence', () => {
  const { problems, objects } = parseFile('kind: ApiRoute\nspec: { a: [{ b: "half')
  assert.deepEqual(objects, [])
  assert.deepEqual(
    problems.map(({ sentence }) => sentence),
    ['Missing closing " quote.'],
  )
})

test('aliases that blow up are refused', () => {
  const level = (n: number): string =>
    `a${n}: &a${n} [${Array(10)
      .fill(`*a${n - 1}`)
      .join(', ')}]\n`
  const text = `a0: &a0 [x]\n${[1, 2, 3, 4, 5, 6].map(level).join('')}`
  const { objects, problems } = parseFile(text)
  assert.equal(objects.length, 0)
  assert.match(problems[0]?.sentence ?? '', /alias/i)
})

test('what is nested too deeply says so', () => {
  const { problems } = parseFile(`a: ${'['.repeat(20_000)}`)
  assert.equal(problems[0]?.sentence, 'This is nested too deeply to be read.')
})

test('whatever a file holds, it becomes objects and problems, never an exception', () => {
  const pieces = fc.array(
    fc.constantFrom(
      'kind: X',
      '\n',
      '- ',
      '{',
      '}',
      '[',
      '&a ',
      '*a',
      '!t ',
      '? ',
      ': ',
      '|\n',
      '---\n',
      '"',
      "'",
      '\t',
      '%YAML 1.1\n',
      '<<: *a',
      '\u0000',
    ),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      const { objects, problems } = parseFile(parts.join(''))
      for (const object of objects) object.locate('spec.a[0]["b"]')
      for (const problem of problems) assert.ok(problem.line >= 1 && problem.column >= 1)
    }),
  )
})
