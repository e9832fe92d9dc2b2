/**
 * A world with its compiler, for tests that tell a story: apply, look, apply again. Everything is
 * compiled after every step, as the controller would.
 */
import assert from 'node:assert/strict'
import type { Host, Rule } from '#wire/table'
import type { Room } from '../../controller/compile/assembly.ts'
import { type Compiler, createCompiler } from '../../controller/compile/compile.ts'
import type { Compiled, CompiledObject, Verdict } from '../../controller/compile/compiled.ts'
import type { Kind } from '../../controller/compile/snapshot.ts'
import { DEFAULT_GATEWAY, DEPS, World, type Written } from './world.ts'

export const GATEWAY = 'fairlead-system/default'

export class Cluster {
  readonly world: World
  readonly #room: Room | undefined
  #compiler: Compiler
  compiled: Compiled

  /** `room`: what a data plane takes, where it is not what the contract says. */
  constructor(world = new World().apply(DEFAULT_GATEWAY), room?: Room) {
    this.world = world
    this.#room = room
    this.#compiler = createCompiler(DEPS, room)
    this.compiled = this.#compile()
  }

  #compile(): Compiled {
    return this.world.compile((snapshot) => this.#compiler.compile(snapshot))
  }

  apply(...objects: readonly Written[]): this {
    this.world.apply(...objects)
    this.compiled = this.#compile()
    return this
  }

  remove(kind: Kind, namespace: string, name: string): this {
    this.world.remove(kind, namespace, name)
    this.compiled = this.#compile()
    return this
  }

  /** Both the controller and what it has seen start anew; LastValid objects stay. */
  restart(): this {
    this.world.restart(this.compiled)
    this.#compiler = createCompiler(DEPS, this.#room)
    this.compiled = this.#compile()
    return this
  }

  verdict(id: string): Verdict {
    const verdict = this.compiled.verdicts.get(id)
    assert.ok(verdict !== undefined, `there is no verdict on ${id}`)
    return verdict
  }

  /** `reason` where it is accepted, else `reason: message`. */
  accepted(id: string): string {
    const { status, reason, message } = this.verdict(id).accepted
    return status === 'True' ? reason : `${reason}: ${message}`
  }

  object(id: string, gateway = GATEWAY): CompiledObject | null {
    return this.compiled.tables.get(gateway)?.objects.get(id) ?? null
  }

  rule(key: string, gateway = GATEWAY): Rule {
    const object = this.object(`rule ${key}`, gateway)
    assert.ok(object?.kind === 'rule', `there is no rule ${key}`)
    return object.value
  }

  /** Who passes: the unit in force, `open`, or why nobody does. */
  auth(key: string, gateway = GATEWAY): string {
    const { auth } = this.rule(key, gateway)
    if (auth.kind === 'reject') return auth.cause
    return auth.kind === 'open' ? 'open' : (auth.authenticate ?? 'anybody')
  }

  host(name: string, gateway = GATEWAY): Host | null {
    const object = this.object(`host ${name}`, gateway)
    return object?.kind === 'host' ? object.value : null
  }
}

type Fields = { readonly [field: string]: unknown }

/** A rule that answers by itself; what is given comes on top. */
export function rule(name: string, more: Fields = {}): Fields {
  return { name, match: [{ path: `/${name}` }], respond: { status: 200 }, ...more }
}

/** `namespace/name` */
export function route(key: string, rules: readonly Fields[], more: Fields = {}): Written {
  return { kind: 'ApiRoute', metadata: named(key), spec: { ...more, rules } }
}

export const JWT = { staff: { jwt: { issuer: 'https://id.example.com' } } }
export const GUEST = { guest: { anonymous: {} } }

export function authPolicy(key: string, targetRefs: readonly Fields[], spec: Fields): Written {
  return { kind: 'AuthPolicy', metadata: named(key), spec: { targetRefs, ...spec } }
}

export function limitPolicy(key: string, targetRefs: readonly Fields[], spec: Fields): Written {
  return { kind: 'RateLimitPolicy', metadata: named(key), spec: { targetRefs, ...spec } }
}

export function consumer(key: string, spec: Fields = {}): Written {
  return { kind: 'Consumer', metadata: named(key), spec }
}

/** `route`, or `route#rule`. */
export function toRoute(text: string): Fields {
  const [name, sectionName] = text.split('#')
  return { kind: 'ApiRoute', name, ...(sectionName === undefined ? {} : { sectionName }) }
}

export function named(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name }
}
