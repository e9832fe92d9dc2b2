/**
 * Judges API keys: the apiKey entries that read one place, together. Only hashes are known here, so
 * a key is hashed and looked up; what is written as one of ours must first have a right checksum.
 * Pinned by api-key.test.ts: "a key opens only for Consumers that the entry names".
 */
import { createHmac, hash } from 'node:crypto'
import type { ApiKey } from '#wire/auth'
import { keyShape } from '#wire/key-format'
import type { JudgeEnvironment } from './environment.ts'
import { invalid, type Judgement, type Unverified } from './judgement.ts'
import type { KeyEntry } from './key-entry.ts'

/** What other systems call an API key is shorter. It bounds what hashing costs. */
const IMPORTED_CHARS_MAX = 512

const UNKNOWN: Unverified = invalid('is not known here')

export class KeyJudge {
  /** By name: where two entries accept one Consumer, the first gives `auth.method`. */
  readonly #own: readonly KeyEntry[]
  readonly #imported: readonly KeyEntry[]
  readonly #environment: JudgeEnvironment

  constructor(entries: readonly KeyEntry[], environment: JudgeEnvironment) {
    this.#environment = environment
    this.#own = entries.filter(({ takesOwn }) => takesOwn)
    this.#imported = entries.filter(({ pepper }) => pepper !== null)
  }

  judge(text: string): Judgement {
    const shape = this.#own.length === 0 ? 'foreign' : keyShape(text)
    switch (shape) {
      case 'key':
        return this.#judgeOwn(text)
      case 'foreign':
        return this.#judgeImported(text)
      case 'damaged':
        return invalid('is damaged: its checksum is wrong')
      default:
        return shape satisfies never
    }
  }

  #judgeOwn(text: string): Judgement {
    const keys = this.#environment.directory.apiKeys(hash('sha256', text, 'hex'))
    return this.#judgeKnown(keys, 'fairlead', this.#own)
  }

  /** Entries may have different peppers, so the same key may have several hashes. */
  #judgeImported(text: string): Judgement {
    if (text.length > IMPORTED_CHARS_MAX) return UNKNOWN
    for (const { pepper } of this.#imported) {
      if (pepper === null) continue
      const digest = createHmac('sha256', pepper).update(text).digest('hex')
      const keys = this.#environment.directory.apiKeys(digest)
      if (keys.length === 0) continue
      const same = this.#imported.filter((entry) => entry.pepper?.equals(pepper) === true)
      return this.#judgeKnown(keys, 'imported', same)
    }
    return UNKNOWN
  }

  /** A key that is known elsewhere only is told nothing more than one that is not known at all. */
  #judgeKnown(
    keys: readonly ApiKey[],
    format: ApiKey['format'],
    entries: readonly KeyEntry[],
  ): Judgement {
    for (const entry of entries) {
      for (const key of keys) {
        if (key.format !== format || yields(key, entries)) continue
        const consumer = this.#environment.directory.consumer(key.consumer)
        const caller = consumer === null ? null : entry.callerOf(consumer)
        if (caller === null) continue
        const expired = key.expiresAtMs !== null && this.#environment.nowMs() >= key.expiresAtMs
        return expired ? invalid('has expired') : { kind: 'verified', caller }
      }
    }
    return UNKNOWN
  }
}

/** To an older key of a namespace that is accepted here as well, whatever has become of that one. */
function yields({ yieldsTo }: ApiKey, entries: readonly KeyEntry[]): boolean {
  return yieldsTo?.some((other) => entries.some((entry) => entry.accepts(other))) === true
}
