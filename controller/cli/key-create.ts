/**
 * `fairlead key create`: the key goes to stderr, once, and the ApiKey resource to stdout, so that it
 * can be piped to kubectl or into a file.
 * Proved by test/cluster/walk.test.ts: "everything in examples is programmed, and a key opens what
 * needs one".
 */
import { durationMs } from '../compile/quantity.ts'
import { keyYaml, makeKey } from './key.ts'
import { UsageFailure, type Values } from './values.ts'

export async function keyCreate(values: Values): Promise<number> {
  const wanted = values.get('consumer')
  if (wanted === undefined) {
    throw new UsageFailure('key create needs --consumer NAME, or NAMESPACE/NAME')
  }
  const [namespace, consumer] = wanted.includes('/') ? wanted.split('/', 2) : ['default', wanted]
  if (!isName(namespace) || !isName(consumer)) {
    throw new UsageFailure(`--consumer: "${wanted}" is not NAME or NAMESPACE/NAME`)
  }
  const expires = values.get('expires')
  const expiresAtMs = expires === undefined ? null : Date.now() + (durationMs(expires) ?? 0)
  const { key, sha256 } = makeKey()
  const name = values.get('name') ?? null
  process.stdout.write(keyYaml({ namespace, consumer, name, expiresAtMs }, sha256))
  process.stderr.write(`The key, shown this once: ${key}\n`)
  return 0
}

function isName(text: string | undefined): text is string {
  return text !== undefined && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text)
}
