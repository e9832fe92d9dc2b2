/**
 * Whether this data plane listens where its ApiGateway says: ports are opened by its own settings,
 * before there is a table, so that a table can only be told that one of them is missing. What listens
 * goes on to serve.
 * Pinned by listeners.test.ts: "a listener that nobody opened is told, with what is open".
 */
import type { Rejection } from '#wire/session'
import type { Listener, ObjectKind, TableObject } from '#wire/table'
import type { TableChange } from './sync/port.ts'

export interface OwnPorts {
  readonly http: number
  /** Null: TLS is not spoken here. */
  readonly https: number | null
}

/** Looks again only when a gateway has changed. */
export class ListenerCheck {
  readonly #own: OwnPorts | null
  #unheard: readonly Rejection[] = []

  /** Null: whatever the table says is right. */
  constructor(own: OwnPorts | null) {
    this.#own = own
  }

  /** `objects`: all of the table, with the change. */
  after(change: TableChange, objects: Iterable<TableObject>): readonly Rejection[] {
    if (this.#own !== null && touches(change, 'gateway') === 'yes') {
      this.#unheard = unheardListeners(objects, this.#own)
    }
    return this.#unheard
  }
}

export function touches({ puts, drops }: TableChange, kind: ObjectKind): 'yes' | 'no' {
  const touched = puts.some((one) => one.kind === kind) || drops.some((one) => one.kind === kind)
  return touched ? 'yes' : 'no'
}

export function unheardListeners(
  objects: Iterable<TableObject>,
  own: OwnPorts,
): readonly Rejection[] {
  const rejections: Rejection[] = []
  for (const object of objects) {
    if (object.kind !== 'gateway') continue
    const unheard = (object.value.listeners ?? []).filter(
      ({ port, protocol }) => port !== own[protocol],
    )
    if (unheard.length === 0) continue
    const { kind, key, sources } = object
    rejections.push({ kind, key, sources, reason: reasonOf(unheard, own) })
  }
  return rejections
}

function reasonOf(unheard: readonly Listener[], { http, https }: OwnPorts): string {
  const wanted = unheard.map(({ port, protocol }) => `${port} (${protocol.toUpperCase()})`)
  const open = `${http} (HTTP)${https === null ? '' : ` and ${https} (HTTPS)`}`
  return `it listens on ${open}, not on ${wanted.join(', ')}; correct the listeners, or its --http and --https`
}
