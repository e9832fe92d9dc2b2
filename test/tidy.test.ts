/**
 * Architecture and style, executed: what the linter and the compiler cannot see. Its table of who
 * may import whom is the documentation of the house (design: section 3).
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const sources = globSync('{crds,controller,dataplane,test}/**/*.ts', { cwd: root }).toSorted()
const product = sources.filter((file) => !file.startsWith('test/') && !isProof(file))

function isProof(file: string): boolean {
  return /\.(test|bench)\.ts$/.test(file) || file.includes('/fake/')
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** Code without comments and strings, so that words in prose do not count. */
function bare(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, ' ')
    .replaceAll(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
}

function importsOf(file: string): string[] {
  const found = read(file).matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)import '([^']+)'/g,
  )
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The project folder or package that an import names. */
function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('#wire/')) return 'dataplane/wire'
  if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier))
  return specifier
}

function offenders(files: readonly string[], find: (file: string) => string[]): string[] {
  return files.flatMap((file) => find(file).map((what) => `${file}: ${what}`))
}

/**
 * From each folder, the folders of the project that it may import. The first prefix that fits a
 * file decides, so exceptions stand before the rule.
 */
const MAY_IMPORT: readonly (readonly [string, readonly string[]])[] = [
  ['crds/', ['crds/']],
  ['controller/compile/', ['controller/compile/', 'crds/', 'dataplane/wire']],
  [
    'controller/cli/',
    ['controller/', 'crds/', 'dataplane/wire', 'dataplane/main.ts', 'dataplane/supervisor.ts'],
  ],
  ['controller/', ['controller/', 'crds/', 'dataplane/wire']],
  ['dataplane/wire/', ['dataplane/wire/']],
  ['dataplane/', ['dataplane/']],
]

/** Packages that only some folders may see. */
const PACKAGE_OWNERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /^@kubernetes\//,
    [
      'controller/watch/',
      'controller/status/',
      'controller/push/identity',
      'controller/cli/',
      'controller/main.ts',
      'controller/kube/',
    ],
  ],
  [
    /^undici$/,
    [
      'dataplane/upstream/',
      'dataplane/egress',
      'dataplane/sync/',
      'controller/watch/',
      'controller/kube/',
    ],
  ],
  [
    /^pino$/,
    [
      'controller/cli/',
      'controller/main.ts',
      'dataplane/main.ts',
      'dataplane/worker.ts',
      'dataplane/log.ts',
      'dataplane/supervisor.ts',
    ],
  ],
  [/^prom-client$/, ['dataplane/metrics', 'controller/metrics']],
  [/^typebox/, ['crds/']],
  [/^commander$/, ['controller/cli/']],
  [/^yaml$/, ['crds/', 'controller/watch/', 'controller/cli/']],
  [/^@peculiar\/x509|^reflect-metadata$/, ['controller/push/']],
  [/^jose$/, ['dataplane/phases/authenticate/', 'dataplane/sync/']],
  [/^@bufbuild\//, ['dataplane/runtime/', 'controller/compile/']],
]

test('imports point one way: crds ← controller → wire ← the rest of the data plane', () => {
  const wrong = offenders(product, (file) => {
    const allowed = MAY_IMPORT.find(([prefix]) => file.startsWith(prefix))?.[1] ?? []
    return importsOf(file)
      .filter((specifier) => specifier.startsWith('.') || specifier.startsWith('#'))
      .map((specifier) => targetOf(file, specifier))
      .filter((target) => !allowed.some((prefix) => target.startsWith(prefix)))
      .map((target) => `may not import ${target}`)
  })
  assert.deepEqual(wrong, [])
})

test('a package is imported only where its job is done', () => {
  const wrong = offenders(product, (file) =>
    importsOf(file).flatMap((specifier) => {
      const owner = PACKAGE_OWNERS.find(([name]) => name.test(specifier))
      if (owner === undefined) return []
      return owner[1].some((prefix) => file.startsWith(prefix))
        ? []
        : [`may not import ${specifier}`]
    }),
  )
  assert.deepEqual(wrong, [])
})

test('the data plane reaches the wire from outside its folder as #wire only from the controller', () => {
  const wrong = offenders(
    product.filter((file) => file.startsWith('controller/')),
    (file) => importsOf(file).filter((specifier) => specifier.includes('dataplane/wire')),
  )
  assert.deepEqual(wrong, [])
})

test('compile is pure: no node module, clock, randomness or environment below controller/compile', () => {
  const files = product.filter((file) => file.startsWith('controller/compile/'))
  const wrong = offenders(files, (file) => {
    const impure = importsOf(file).filter((name) => /^node:|^pino|^undici|^@kubernetes/.test(name))
    const words = bare(read(file)).match(
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|setInterval|console\.)/g,
    )
    return [...impure, ...(words ?? [])]
  })
  assert.deepEqual(wrong, [])
})

test('the wire is a leaf without classes and state', () => {
  const files = product.filter((file) => file.startsWith('dataplane/wire/'))
  const wrong = offenders(files, (file) => {
    const outside = importsOf(file).filter((name) => !name.startsWith('./'))
    const classes = bare(read(file)).match(/(?:^|\n)(?:export )?(?:abstract )?class \w+/g) ?? []
    return [...outside, ...classes]
  })
  assert.deepEqual(wrong, [])
})

test('the two stories fit on one screen each', () => {
  for (const file of ['controller/compile/compile.ts', 'dataplane/request/serve.ts']) {
    assert.ok(read(file).split('\n').length <= 101, `${file} is longer than 100 lines`)
  }
})

test('every source file opens with a comment that says what it is for', () => {
  const wrong = sources.filter((file) => !/^(#![^\n]*\n)?\/\*\*\n \* \S/.test(read(file)))
  assert.deepEqual(wrong, [])
})

test('no mutable state at module level', () => {
  const wrong = offenders(product, (file) => read(file).match(/(?:^|\n)(?:export )?let \w+/g) ?? [])
  assert.deepEqual(wrong, [])
})

test('the environment is read only where a process starts', () => {
  const roots = /^controller\/cli\/|^controller\/main\.ts$|^dataplane\/(main|supervisor)\.ts$/
  const files = product.filter((file) => !roots.test(file))
  assert.deepEqual(
    offenders(files, (file) => bare(read(file)).match(/process\.env/g) ?? []),
    [],
  )
})

test('names say what a thing is: kebab-case, and never utils', () => {
  const vague = /(^|\/)(utils?|helpers?|common|misc|manager|index)(\.|\/)/
  const wrong = sources.filter((file) => vague.test(file) || !/^[a-z0-9./-]+$/.test(file))
  assert.deepEqual(wrong, [])
})

test('no default exports, no re-exports, no enums', () => {
  const banned =
    /(?:^|\n)export (default|\*|(type )?\{[^}]*\} from)|(?:^|\n)(export )?(const )?enum /g
  assert.deepEqual(
    offenders(product, (file) => read(file).match(banned) ?? []),
    [],
  )
})

test('notes to self carry a reason or are not there', () => {
  const note = new RegExp(`\\b(${['TO', 'DO|FIX', 'ME|XX', 'X|HA', 'CK'].join('')})\\b`, 'g')
  assert.deepEqual(
    offenders(sources, (file) => read(file).match(note) ?? []),
    [],
  )
})

test('phases never say a boolean', () => {
  const files = product.filter((file) => file.startsWith('dataplane/phases/'))
  const wrong = offenders(
    files,
    (file) =>
      bare(read(file)).match(
        /Promise<boolean>|export function [^{]*\): boolean|\w+: boolean[,)]/g,
      ) ?? [],
  )
  assert.deepEqual(wrong, [])
})

test('the request path builds nothing from configuration', () => {
  const files = product.filter(
    (file) =>
      /^dataplane\/(request|phases)\//.test(file) && !/\/(build|prepare)[^/]*\.ts$/.test(file),
  )
  const wrong = offenders(files, (file) => {
    const code = bare(read(file)).replaceAll(/(?:^|\n)(export )?const [^\n]*/g, '\n')
    return code.match(/new RegExp|\.to?sort(ed)?\(|prepareExpression|preparePattern/g) ?? []
  })
  assert.deepEqual(wrong, [])
})

test('a secret is revealed only by the wire encoder', () => {
  const callers = product.filter((file) => /\.reveal\(\)/.test(bare(read(file))))
  assert.deepEqual(
    callers.filter((file) => file.startsWith('controller/')),
    ['controller/push/encode.ts'],
  )
})

/** Folders in which every file has its proof beside it. */
const PROVEN = [
  'controller/compile/',
  'dataplane/phases/',
  'dataplane/wire/',
  'dataplane/limits/',
  'dataplane/front/',
]
/** Types and tables without behaviour; files whose proof is their neighbour's, by name. */
const PROVEN_ELSEWHERE: readonly string[] = []

test('what compiles, serves, limits or is the contract has a test beside it', () => {
  const present = new Set(sources)
  const wrong = product
    .filter((file) => PROVEN.some((prefix) => file.startsWith(prefix)))
    .filter((file) => /\bfunction\b|=>/.test(bare(read(file))) && !PROVEN_ELSEWHERE.includes(file))
    .filter((file) => !/pinned by|proved by/i.test(read(file)))
    .filter((file) => !present.has(file.replace(/\.ts$/, '.test.ts')))
  assert.deepEqual(wrong, [])
})

test('the test that a file names as its pin exists', () => {
  const wrong = offenders(product, (file) => {
    const pins = [...read(file).matchAll(/Pinned by ([\w./-]+\.test\.ts)/g)].map(
      (match) => match[1] ?? '',
    )
    return pins.filter((pin) => {
      const beside = normalize(join(dirname(file), pin))
      return !sources.includes(beside) && !sources.includes(pin)
    })
  })
  assert.deepEqual(wrong, [])
})
