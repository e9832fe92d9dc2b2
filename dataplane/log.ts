/**
 * The access log: one exchange, one line of JSON, whatever a client has put into its request. Built
 * from parts that are joined, because JSON.stringify of an object costs ten times as much.
 * Pinned by log.test.ts: "every line is one line and parses, whatever the record holds".
 */
import type { ExchangeRecord } from './request/record.ts'

/** Printable ASCII without the two characters that JSON escapes. */
const PLAIN = /^[ !#-[\]-~]*$/
/** Beyond ASCII stand characters that some readers take for the end of a line. */
const BEYOND_ASCII = /[\u007f-\uffff]/g

function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return JSON.stringify(text).replaceAll(BEYOND_ASCII, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function orNull(text: string | null): string {
  return text === null ? 'null' : quoted(text)
}

function milliseconds(value: number): number {
  return Math.round(value * 1_000) / 1_000
}

/** A megabyte at most. */
const KNOWN_MAX = 2_000
const KNOWN_LENGTH_MAX = 200

/** With its line end. Remembers the second that it last wrote: most lines share it. */
export class AccessLines {
  #second = Number.NaN
  #secondText = ''
  readonly #quoted = new Map<string, string>()

  line(record: ExchangeRecord): string {
    const { upstreamMs } = record
    return (
      `{"time":"${this.#time(record.startedAtMs)}","id":${quoted(record.id)}` +
      `,"status":${record.status},"cause":${orNull(record.cause)},"word":${orNull(record.word)}` +
      `,"fault":${orNull(record.fault)},"by":"${record.by}"` +
      `,"method":${this.#known(record.method)},"scheme":"${record.scheme}"` +
      `,"host":${this.#known(record.host)},"path":${quoted(record.path)}` +
      `,"protocol":"${record.protocol}"` +
      `,"ip":${this.#known(record.ip)},"peer":${this.#known(record.peer)}` +
      `,"userAgent":${this.#known(record.userAgent)}` +
      `,"route":${this.#known(record.route)},"rule":${this.#known(record.rule)}` +
      `,"auth":${this.#known(record.authMethod)},"consumer":${this.#known(record.consumer)}` +
      `,"backend":${this.#known(record.backend)}` +
      `,"durationMs":${milliseconds(record.durationMs)}` +
      `,"upstreamMs":${upstreamMs === null ? 'null' : milliseconds(upstreamMs)}` +
      `,"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut}` +
      `,"complete":${record.complete},"partial":${record.partial}` +
      `,"observed":[${record.observed.length === 0 ? '' : record.observed.map(quoted).join()}]}\n`
    )
  }

  /** Of texts that come again and again; looking one up is half of quoting it. */
  #known(text: string | null): string {
    if (text === null) return 'null'
    const known = this.#quoted.get(text)
    if (known !== undefined) return known
    const made = quoted(text)
    if (text.length > KNOWN_LENGTH_MAX) return made
    if (this.#quoted.size >= KNOWN_MAX) this.#quoted.clear()
    this.#quoted.set(text, made)
    return made
  }

  #time(atMs: number): string {
    const second = Math.floor(atMs / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = new Date(second * 1_000).toISOString().slice(0, 19)
    }
    return `${this.#secondText}.${String(Math.floor(atMs) - second * 1_000).padStart(3, '0')}Z`
  }
}
