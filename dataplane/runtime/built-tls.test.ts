/**
 * Proves how the certificates of a table come and go.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TableObject } from '#wire/table'
import { certificateFor, type Pair } from '../../test/fake/certificate.ts'
import { tableChange, tableObject } from '../../test/fake/table.ts'
import { BuiltTls } from './built-tls.ts'
import { TableObjects } from './objects.ts'
import type { TlsHosts } from './tls-hosts.ts'

class Table {
  readonly #objects = new TableObjects()
  readonly #tls = new BuiltTls(this.#objects)

  put(...objects: readonly TableObject[]): TlsHosts | null {
    const built = this.#tls.build(this.#objects.lay(tableChange('delta', objects)))
    this.#tls.commit()
    this.#objects.commit()
    return built
  }

  get refused(): readonly string[] {
    return this.#tls.refusals().map(({ key }) => key)
  }
}

function secret(name: string, key: string): TableObject {
  return tableObject('secret', `a/${name}:tls.key`, { base64: Buffer.from(key).toString('base64') })
}

function certificate(name: string, { cert }: Pair): TableObject {
  const value = { chain: cert, privateKey: `a/${name}:tls.key`, names: [`${name}.test`] }
  return tableObject('certificate', `a/${name}`, value)
}

function tls(host: string, ...certificates: readonly string[]): TableObject {
  return tableObject('tls', host, { certificates, http: 'redirect' })
}

test('a certificate that changes is a new one for its hosts alone', async () => {
  const [one, two, young] = [
    await certificateFor(['one.test']),
    await certificateFor(['two.test']),
    await certificateFor(['one.test']),
  ]
  const table = new Table()
  const first = table.put(
    secret('one', one.key),
    secret('two', two.key),
    certificate('one', one),
    certificate('two', two),
    tls('one.test', 'a/one'),
    tls('two.test', 'a/two'),
  )
  assert.equal(first?.of('one.test')?.certificates[0]?.chain, one.cert)
  const second = table.put(secret('one', young.key), certificate('one', young))
  assert.equal(second?.of('one.test')?.certificates[0]?.chain, young.cert)
  assert.equal(second?.of('two.test'), first?.of('two.test'))
  assert.deepEqual(table.refused, [])
  assert.equal(table.put(), second)
})

test('a key that does not fit is reported, and its host shows nothing until it does', async () => {
  const [one, other] = [await certificateFor(['one.test']), await certificateFor(['one.test'])]
  const table = new Table()
  const objects = [secret('one', other.key), certificate('one', one), tls('one.test', 'a/one')]
  const broken = table.put(...objects)
  assert.deepEqual(table.refused, ['a/one'])
  assert.deepEqual(broken?.of('one.test'), { set: 'a/one', http: 'redirect', certificates: [] })
  const healed = table.put(secret('one', one.key))
  assert.deepEqual(table.refused, [])
  assert.equal(healed?.of('one.test')?.certificates.length, 1)
})
