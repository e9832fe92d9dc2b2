/**
 * The architecture, executed: who may import whom, what is pure, and where the outside is seen. Its
 * tables are the documentation of the house (design: section 3). How code reads is held by
 * tidy/style.test.ts, what proves what by tidy/proof.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as limits from '../dataplane/wire/limits.ts'
import {
  bare,
  importsOf,
  isPackage,
  offenders,
  packageOf,
  PRODUCT,
  read,
  SOURCES,
  targetOf,
  under,
} from './tidy/source.ts'

/**
 * From each folder, the folders of the project that it may import. The first prefix that fits a
 * file decides, so exceptions stand before the rule.
 */
const MAY_IMPORT: readonly (readonly [string, readonly string[]])[] = [
  ['crds/', ['crds/']],
  ['controller/compile/', ['controller/compile/', 'crds/', 'dataplane/wire']],
  [
    'controller/cli/',
    [
      'controller/',
      'crds/',
      'dataplane/wire',
      'dataplane/addresses.ts',
      'dataplane/main.ts',
      'dataplane/supervisor.ts',
    ],
  ],
  ['controller/', ['controller/', 'crds/', 'dataplane/wire']],
  ['dataplane/wire/', ['dataplane/wire/']],
  ['dataplane/', ['dataplane/']],
]

/** The packages of production, each with the places where its job is done. */
const PACKAGE_OWNERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^@kubernetes\/client-node$/, ['controller/kube/credentials.ts']],
  [/^undici$/, ['dataplane/upstream/', 'dataplane/egress.ts', 'controller/kube/']],
  [/^pino$/, ['controller/cli/', 'dataplane/access-log.ts']],
  [/^prom-client$/, ['dataplane/metrics-shown.ts']],
  [/^typebox$/, ['crds/']],
  [/^commander$/, ['controller/cli/fairlead.ts']],
  [/^yaml$/, ['crds/', 'controller/watch/', 'controller/cli/']],
  [/^(@peculiar\/x509|reflect-metadata)$/, ['controller/push/certificate.ts']],
  [/^@bufbuild\/(cel|re2)$/, ['dataplane/runtime/', 'controller/compile/']],
]

test('imports point one way: crds ← controller → wire ← the rest of the data plane', () => {
  const wrong = offenders(PRODUCT, (file) => {
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
  const wrong = offenders(PRODUCT, (file) =>
    importsOf(file)
      .filter(isPackage)
      .filter((specifier) => {
        const owner = PACKAGE_OWNERS.find(([name]) => name.test(packageOf(specifier)))
        return owner?.[1].some((prefix) => file.startsWith(prefix)) !== true
      })
      .map((specifier) => `may not import ${specifier}`),
  )
  assert.deepEqual(wrong, [])
  const used = PRODUCT.flatMap((file) => importsOf(file).map((name) => [packageOf(name), file]))
  const idle = PACKAGE_OWNERS.flatMap(([name, places]) =>
    places
      .filter(
        (place) => !used.some(([one = '', file]) => name.test(one) && file?.startsWith(place)),
      )
      .map((place) => `${place} does not import ${name.source}`),
  )
  assert.deepEqual(idle, [], 'the table says what is, and no more')
})

/** Their commands and types are used, not their code. */
const TOOLS = [
  '@biomejs/biome',
  '@types/node',
  '@types/ws',
  'node',
  'oxlint',
  'oxlint-tsgolint',
  'typescript',
]

type Names = Readonly<Record<string, string>>

test('package.json lists what is imported, exactly, and nothing else', () => {
  const listed = JSON.parse(read('package.json')) as { dependencies: Names; devDependencies: Names }
  const { dependencies, devDependencies } = listed
  const packagesOf = (files: readonly string[]): readonly string[] => [
    ...new Set(files.flatMap((file) => importsOf(file).filter(isPackage).map(packageOf))),
  ]
  const product = packagesOf(PRODUCT)
  assert.deepEqual(product.toSorted(), Object.keys(dependencies).toSorted())
  const proof = packagesOf(SOURCES.filter((file) => !PRODUCT.includes(file)))
  const others = proof.filter((name) => !product.includes(name))
  assert.deepEqual([...others, ...TOOLS].toSorted(), Object.keys(devDependencies).toSorted())
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name)
  }
})

test('the data plane reaches the wire from outside its folder as #wire only from the controller', () => {
  const wrong = offenders(under('controller/'), (file) =>
    importsOf(file).filter((specifier) => specifier.includes('dataplane/wire')),
  )
  assert.deepEqual(wrong, [])
})

test('compile is pure: no node module, clock, randomness or environment below controller/compile', () => {
  const wrong = offenders(under('controller/compile/'), (file) => {
    const impure = importsOf(file).filter((name) => /^node:|^pino|^undici|^@kubernetes/.test(name))
    const words = bare(file).match(
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|setInterval|console\.)/g,
    )
    return [...impure, ...(words ?? [])]
  })
  assert.deepEqual(wrong, [])
})

test('compile throws only over bugs of its own: what users wrote becomes a problem', () => {
  const wrong = offenders(under('controller/compile/'), (file) =>
    [...bare(file).matchAll(/\bthrow (?!new TypeError\(|error\b)[^\n]*/g)].map(([text]) => text),
  )
  assert.deepEqual(wrong, [])
})

test('the wire is a leaf without classes and state', () => {
  const wrong = offenders(under('dataplane/wire/'), (file) => {
    const outside = importsOf(file).filter((name) => !name.startsWith('./'))
    const classes = bare(file).match(/(?:^|\n)(?:export )?(?:abstract )?class \w+/g) ?? []
    return [...outside, ...classes]
  })
  assert.deepEqual(wrong, [])
})

test('every limit of the wire is held somewhere', () => {
  const users = SOURCES.filter((file) => !/wire\/limits\.ts$|^test\/(docs|tidy)/.test(file))
  const text = users.map(read).join('\n')
  const idle = Object.keys(limits).filter((name) => !new RegExp(`\\b${name}\\b`).test(text))
  assert.deepEqual(idle, [])
})

test('the environment is read only where a process starts', () => {
  const roots = /^controller\/cli\/|^controller\/main\.ts$|^dataplane\/(main|supervisor)\.ts$/
  const files = PRODUCT.filter((file) => !roots.test(file))
  assert.deepEqual(
    offenders(files, (file) => bare(file).match(/process\.env/g) ?? []),
    [],
  )
})

test('a secret is revealed only by the wire encoder', () => {
  const callers = PRODUCT.filter((file) => /\.reveal\(\)/.test(bare(file)))
  assert.deepEqual(
    callers.filter((file) => file.startsWith('controller/')),
    ['controller/push/encode.ts'],
  )
})

test('phases never say a boolean', () => {
  const wrong = offenders(
    under('dataplane/phases/'),
    (file) =>
      bare(file).match(/Promise<boolean>|export function [^{]*\): boolean|\w+: boolean[,)]/g) ?? [],
  )
  assert.deepEqual(wrong, [])
})

test('the request path builds nothing from configuration', () => {
  const files = under('dataplane/request/', 'dataplane/phases/').filter(
    (file) => !/\/(build|prepare)[^/]*\.ts$/.test(file),
  )
  const wrong = offenders(files, (file) => {
    const code = bare(file).replaceAll(/(?:^|\n)(export )?const [^\n]*/g, '\n')
    return code.match(/new RegExp|\.to?sort(ed)?\(|prepareExpression|preparePattern/g) ?? []
  })
  assert.deepEqual(wrong, [])
})

/**
 * Where the time, chance and the turn of the event loop come in. Everybody else is given them, so
 * that tests can hold them (style: rule 27).
 */
const TIME_COMES_IN: Readonly<Record<string, readonly string[]>> = {
  'the clock of the request path, which all of it reads': ['dataplane/clock.ts'],
  'composition roots, which hand it to what they put together': [
    'controller/cli/dev.ts',
    'controller/cli/key-create.ts',
    'controller/cli/sample.ts',
    'controller/folder-controller.ts',
    'controller/main.ts',
    'dataplane/main.ts',
    'dataplane/supervisor.ts',
    'dataplane/threads.ts',
    'dataplane/worker-thread.ts',
    'dataplane/worker.ts',
  ],
  'the default of a parameter that tests set': [
    'dataplane/limits/keeper.ts',
    'dataplane/limits/shared-limiter.ts',
    'dataplane/limits/shared.ts',
    'dataplane/phases/authenticate/environment.ts',
    'dataplane/phases/authenticate/key-sets.ts',
    'dataplane/phases/faults.ts',
    'dataplane/sync/keep.ts',
    'dataplane/sync/keys.ts',
  ],
  'waits of streams between controller and data plane: tests give them short timings': [
    'controller/push/door.ts',
    'controller/push/down.ts',
    'controller/push/hear.ts',
    'controller/push/reporter.ts',
    'controller/push/session.ts',
    'controller/push/streams.ts',
    'dataplane/sync/stream.ts',
    'dataplane/sync/sync.ts',
  ],
  'waits of watches, leases and statuses: a real API server has its own time': [
    'controller/kube/credentials.ts',
    'controller/kube/patience.ts',
    'controller/status/lease.ts',
    'controller/status/writer.ts',
    'controller/watch/folder-files.ts',
    'controller/watch/last-valid.ts',
    'controller/watch/watch.ts',
  ],
  'whether a certificate has expired: its reader takes the time': ['controller/push/encode.ts'],
  'deadlines of sockets: tests give them in milliseconds': [
    'dataplane/front/connection.ts',
    'dataplane/front/drain.ts',
    'dataplane/front/front.ts',
    'dataplane/access-log.ts',
    'dataplane/front/http1.ts',
    'dataplane/log-shipping.ts',
    'dataplane/phases/cache/flights.ts',
    'dataplane/phases/forward/aggregate-call.ts',
    'dataplane/phases/forward/aggregate-run.ts',
    'dataplane/upstream/attempt.ts',
    'dataplane/upstream/call.ts',
    'dataplane/upstream/deadlines.ts',
    'dataplane/upstream/http1-connection.ts',
    'dataplane/upstream/http1-lane.ts',
    'dataplane/upstream/http2-attempt.ts',
    'dataplane/upstream/http2-lane.ts',
  ],
  'a table is built while exchanges have their turns': ['dataplane/runtime/slices.ts'],
  'small pieces of a body are kept together for one turn of the loop': [
    'dataplane/front/http1-answer.ts',
    'dataplane/front/http2-answer.ts',
    'dataplane/request/pages.ts',
  ],
  'which backend of several weights: tests look at many requests': [
    'dataplane/phases/forward/proxy.ts',
  ],
}

test('time and chance come in where they are listed, and nowhere else', () => {
  const words =
    /\b(Date\.now|Math\.random|performance\.now|hrtime|setTimeout|setInterval|setImmediate|queueMicrotask)\b/
  const found = PRODUCT.filter((file) => words.test(bare(file)))
  assert.deepEqual(found, Object.values(TIME_COMES_IN).flat().toSorted())
})
