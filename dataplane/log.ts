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
  /** Parts of the last line; most of the next one are the same. */
  #last: ExchangeRecord | null = null
  #client = ''
  #route = ''
  #end = ''
  readonly #quoted = new Map<string, string>()

  line(record: ExchangeRecord): string {
    const { upstreamMs } = record
    if (!isSameClient(record, this.#last)) this.#client = this.#clientPart(record)
    if (!isSameRoute(record, this.#last)) this.#route = this.#routePart(record)
    if (!isSameEnd(record, this.#last)) this.#end = this.#endPart(record)
    this.#last = record
    return (
      `{"time":"${this.#time(record.startedAtMs)}","id":${quoted(record.id)}${this.#end}` +
      `,"path":${quoted(record.path)}${this.#client}${this.#route}` +
      `,"durationMs":${milliseconds(record.durationMs)}` +
      `,"upstreamMs":${upstreamMs === null ? 'null' : milliseconds(upstreamMs)}` +
      `,"bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut}` +
      `,"complete":${record.complete},"partial":${record.partial}` +
      `,"observed":[${record.observed.length === 0 ? '' : record.observed.map(quoted).join()}]}\n`
    )
  }

  #endPart({ status, cause, word, fault, by, method, scheme, host }: ExchangeRecord): string {
    return (
      `,"status":${status},"cause":${this.#known(cause)},"word":${this.#known(word)}` +
      `,"fault":${this.#known(fault)},"by":"${by}","method":${this.#known(method)}` +
      `,"scheme":"${scheme}","host":${this.#known(host)}`
    )
  }

  #clientPart({ protocol, ip, peer, userAgent }: ExchangeRecord): string {
    return (
      `,"protocol":"${protocol}","ip":${this.#known(ip)},"peer":${this.#known(peer)}` +
      `,"userAgent":${this.#known(userAgent)}`
    )
  }

  #routePart({ route, rule, authMethod, consumer, backend }: ExchangeRecord): string {
    return (
      `,"route":${this.#known(route)},"rule":${this.#known(rule)}` +
      `,"auth":${this.#known(authMethod)},"consumer":${this.#known(consumer)}` +
      `,"backend":${this.#known(backend)}`
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

function isSameClient(one: ExchangeRecord, other: ExchangeRecord | null): boolean {
  return (
    other !== null &&
    one.ip === other.ip &&
    one.peer === other.peer &&
    one.userAgent === other.userAgent &&
    one.protocol === other.protocol
  )
}

function isSameRoute(one: ExchangeRecord, other: ExchangeRecord | null): boolean {
  return (
    other !== null &&
    one.rule === other.rule &&
    one.route === other.route &&
    one.backend === other.backend &&
    one.consumer === other.consumer &&
    one.authMethod === other.authMethod
  )
}

function isSameEnd(one: ExchangeRecord, other: ExchangeRecord | null): boolean {
  return (
    other !== null &&
    one.status === other.status &&
    one.host === other.host &&
    one.method === other.method &&
    one.scheme === other.scheme &&
    isSameOutcome(one, other)
  )
}

function isSameOutcome(one: ExchangeRecord, other: ExchangeRecord): boolean {
  return (
    one.cause === other.cause &&
    one.word === other.word &&
    one.fault === other.fault &&
    one.by === other.by
  )
}
