/**
 * The files of the repository, as the tidy tests look at them: a small scanner of their own, because
 * the compiler has no stable interface for it.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')

export const SOURCES: readonly string[] = globSync('{crds,controller,dataplane,test}/**/*.ts', {
  cwd: ROOT,
}).toSorted()

/** What runs in production; the rest proves it. */
export const PRODUCT: readonly string[] = SOURCES.filter(
  (file) => !file.startsWith('test/') && !isProof(file),
)

function isProof(file: string): boolean {
  return /\.(test|bench)\.ts$/.test(file) || file.includes('/fake/')
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** Code without comments and strings, so that words in prose do not count. */
export function bare(file: string): string {
  return read(file)
    .replaceAll(/\/\*[\s\S]*?\*\//g, ' ')
    .replaceAll(/(^|[^:'"`\\])\/\/[^\n]*/g, '$1')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
}

/** Likewise without templates; what stands in their holes goes with them. */
export function barest(file: string): string {
  return bare(file).replaceAll(/`(?:[^`\\]|\\.)*`/g, '``')
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)import '([^']+)'/g

export function importsOf(file: string): string[] {
  return [...read(file).matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The comment that a file opens with, on one line. */
export function openingOf(file: string): string {
  const comment = /^(?:#![^\n]*\n)?\/\*\*([\s\S]*?)\*\//.exec(read(file))?.[1] ?? ''
  return comment.replaceAll(/\n \*/g, ' ').replaceAll(/\s+/g, ' ').trim()
}

/** The file of the project, or its folder of the wire, that an import names; else the package. */
export function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('#wire/')) return 'dataplane/wire'
  if (specifier.startsWith('.')) return normalize(join(dirname(file), specifier))
  return specifier
}

export function isPackage(specifier: string): boolean {
  return /^(@[\w-]+\/)?[a-z][\w./-]*$/.test(specifier) && !specifier.startsWith('node:')
}

/** `@scope/name/part` → `@scope/name` */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

export function offenders(
  files: readonly string[],
  find: (file: string) => readonly string[],
): readonly string[] {
  return files.flatMap((file) => find(file).map((what) => `${file}: ${what}`))
}

export function under(...prefixes: readonly string[]): readonly string[] {
  return PRODUCT.filter((file) => prefixes.some((prefix) => file.startsWith(prefix)))
}
