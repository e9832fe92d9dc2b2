/**
 * Which of several controllers leads: writes statuses and remembers last valid specs. A Lease object
 * decides (coordination.k8s.io/v1), renewed while we lead and taken over once nobody renews it. It
 * does not fence: every write carries the resourceVersion that it was computed from.
 * Pinned by test/cluster/replicas.test.ts: "a second controller leads once the first is gone".
 */
import { KubeFailure, type KubeClient, successOf } from '../kube/client.ts'
import { numberAt, textAt } from '../kube/fields.ts'
import type { Logger } from '../log.ts'

/** The terms of client-go, which operators know. */
const LEASE_MS = 15_000
const RENEW_WITHIN_MS = 10_000
const RETRY_MS = 2_000
const RELEASE_WITHIN_MS = 2_000
/** Nothing is written in the last part of a lease that could not be renewed. */
const SILENT_MS = 3_000

export interface LeaseOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly name: string
  /** Of this replica, unique among them. */
  readonly identity: string
  /** Published on the Lease, so that replicas find the leader: `host:port`; null: they cannot. */
  readonly address: string | null
  readonly log: Logger
  /** Called when leading begins or ends. */
  readonly changed: () => void
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export interface Lease {
  /** Whether this replica may write now, and for a moment longer. */
  standing(): 'leads' | 'follows'
  /** Where the one that leads is reached; null: it is us, nobody, or it does not say. */
  leader(): string | null
  /** Gives the lease back, so that another takes over at once. */
  release(): Promise<void>
}

const ADDRESS_ANNOTATION = 'fairlead.dev/leader-address'

interface Held {
  readonly holder: string
  readonly acquireTime: string
  readonly renewTime: string
  /** Of the holder; null: it tells none. */
  readonly address: string | null
  readonly transitions: number
  readonly resourceVersion: string
  readonly durationMs: number
}

export function startLease(options: LeaseOptions): Lease {
  const running = new Running(options)
  running.start()
  return {
    standing: () => running.standing(),
    leader: () => running.leader(),
    release: () => running.release(),
  }
}

class Running {
  readonly #options: LeaseOptions
  readonly #path: string
  readonly #stop = new AbortController()
  #renewedMs = Number.NEGATIVE_INFINITY
  #seen: { readonly mark: string; readonly sinceMs: number } | null = null
  #said: 'leads' | 'follows' = 'follows'
  #holder: Pick<Held, 'holder' | 'address'> | null = null
  #loop: Promise<void> = Promise.resolve()

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`
  }

  start(): void {
    this.#loop = this.#run()
  }

  standing(): 'leads' | 'follows' {
    const left = this.#renewedMs + LEASE_MS - this.#options.now()
    return left > SILENT_MS ? 'leads' : 'follows'
  }

  leader(): string | null {
    const holder = this.#holder
    return holder === null || holder.holder === this.#options.identity ? null : holder.address
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#attempt()
      } catch (error) {
        this.#failed(error)
      }
      this.#announce()
      await pause(RETRY_MS, this.#stop.signal)
    }
  }

  /** 409: another replica was faster; that is how elections go. */
  #failed(error: unknown): void {
    if (this.#stop.signal.aborted || (error instanceof KubeFailure && error.status === 409)) return
    const { log, name } = this.#options
    log.warn({ lease: name }, `cannot take or renew the lease: ${String(error)}`)
  }

  #announce(): void {
    const standing = this.standing()
    if (standing === this.#said) return
    this.#said = standing
    this.#options.log.info({ identity: this.#options.identity }, `this controller ${standing}`)
    this.#options.changed()
  }

  async #attempt(): Promise<void> {
    const startedMs = this.#options.now()
    const held = await this.#read()
    this.#holder = held
    if (held === null) {
      await this.#create(startedMs)
      return
    }
    if (
      held.holder !== this.#options.identity &&
      held.holder !== '' &&
      this.#fresh(held) === 'fresh'
    ) {
      this.#renewedMs = Number.NEGATIVE_INFINITY
      return
    }
    const { identity } = this.#options
    const isOurs = held.holder === identity
    await this.#write(held.resourceVersion, {
      holder: identity,
      acquireTime: isOurs ? held.acquireTime : microTime(),
      transitions: held.transitions + (isOurs ? 0 : 1),
    })
    this.#renewedMs = startedMs
    this.#holder = { holder: identity, address: null }
  }

  /** By our own clock since we saw it change, as client-go does: clocks of machines differ. */
  #fresh(held: Held): 'fresh' | 'expired' {
    const mark = `${held.holder} ${held.renewTime}`
    const now = this.#options.now()
    if (this.#seen?.mark !== mark) this.#seen = { mark, sinceMs: now }
    return now - this.#seen.sinceMs < held.durationMs ? 'fresh' : 'expired'
  }

  async #read(): Promise<Held | null> {
    const path = `${this.#path}/${this.#options.name}`
    const answer = await this.#options.client.request({
      method: 'GET',
      path,
      signal: this.#limit(),
    })
    if (answer.status === 404) return null
    return heldOf(successOf(answer))
  }

  async #create(startedMs: number): Promise<void> {
    const spec = { holder: this.#options.identity, acquireTime: microTime(), transitions: 0 }
    const body = this.#body('', spec)
    const answer = await this.#options.client.request({
      method: 'POST',
      path: this.#path,
      body,
      signal: this.#limit(),
    })
    successOf(answer)
    this.#renewedMs = startedMs
  }

  async #write(resourceVersion: string, terms: Terms): Promise<void> {
    const path = `${this.#path}/${this.#options.name}`
    const body = this.#body(resourceVersion, terms)
    successOf(
      await this.#options.client.request({ method: 'PUT', path, body, signal: this.#limit() }),
    )
  }

  /** A stop does not wait for an API server that does not answer. */
  #limit(): AbortSignal {
    const { signal } = this.#stop
    if (signal.aborted) return AbortSignal.timeout(RELEASE_WITHIN_MS)
    return AbortSignal.any([AbortSignal.timeout(RENEW_WITHIN_MS), signal])
  }

  #body(resourceVersion: string, { holder, acquireTime, transitions }: Terms): object {
    const { name, namespace, address } = this.#options
    const isKnown = address !== null && holder !== ''
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name,
        namespace,
        ...(isKnown ? { annotations: { [ADDRESS_ANNOTATION]: address } } : {}),
        ...(resourceVersion === '' ? {} : { resourceVersion }),
      },
      spec: {
        holderIdentity: holder,
        leaseDurationSeconds: holder === '' ? 1 : LEASE_MS / 1000,
        renewTime: microTime(),
        acquireTime,
        leaseTransitions: transitions,
      },
    }
  }

  async release(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    if (this.#renewedMs + LEASE_MS < this.#options.now()) return
    this.#renewedMs = Number.NEGATIVE_INFINITY
    try {
      const held = await this.#read()
      if (held?.holder !== this.#options.identity) return
      await this.#write(held.resourceVersion, { ...held, holder: '' })
    } catch (error) {
      this.#options.log.warn({}, `the lease was not given back: ${String(error)}`)
    }
  }
}

type Terms = Pick<Held, 'holder' | 'acquireTime' | 'transitions'>

/** MicroTime, as Leases have it. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}

function heldOf(body: unknown): Held {
  const seconds = numberAt(body, 'spec', 'leaseDurationSeconds')
  return {
    holder: textAt(body, 'spec', 'holderIdentity') ?? '',
    acquireTime: textAt(body, 'spec', 'acquireTime') ?? microTime(),
    address: textAt(body, 'metadata', 'annotations', ADDRESS_ANNOTATION),
    renewTime: textAt(body, 'spec', 'renewTime') ?? '',
    transitions: numberAt(body, 'spec', 'leaseTransitions') ?? 0,
    durationMs: seconds === null ? LEASE_MS : seconds * 1000,
    resourceVersion: textAt(body, 'metadata', 'resourceVersion') ?? '',
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
