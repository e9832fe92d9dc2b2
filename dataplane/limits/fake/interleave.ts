/**
 * Two threads in one: an operation is stopped before one of its atomic steps, others run to their
 * end meanwhile, and then it goes on. Done for every step, this tries what real threads hit once in
 * a million. May be nested.
 */

const STEPS = ['load', 'store', 'add', 'sub', 'compareExchange'] as const

/** Whether the operation had so many steps that it was stopped at all. */
export interface Interleaved<T> {
  readonly result: T
  readonly stopped: 'stopped' | 'tooShort'
}

export function interleaved<T>(
  operation: () => T,
  step: number,
  meanwhile: () => void,
): Interleaved<T> {
  const real = STEPS.map((name) => [name, Reflect.get(Atomics, name)] as const)
  const restore = (): void => {
    for (const [name, one] of real) Reflect.set(Atomics, name, one)
  }
  let left = step
  let stopped: Interleaved<T>['stopped'] = 'tooShort'
  for (const [name, one] of real) {
    Reflect.set(Atomics, name, (...parameters: readonly unknown[]): unknown => {
      if (left-- === 0) {
        restore()
        stopped = 'stopped'
        meanwhile()
      }
      return Reflect.apply(one, Atomics, parameters)
    })
  }
  try {
    return { result: operation(), stopped }
  } finally {
    restore()
  }
}

/** Every order of up to `length` of these, the empty one too. */
export function scripts<T>(steps: readonly T[], length: number): readonly (readonly T[])[] {
  if (length === 0) return [[]]
  const shorter = scripts(steps, length - 1)
  const longest = shorter.filter((one) => one.length === length - 1)
  return [...shorter, ...longest.flatMap((one) => steps.map((step) => [...one, step]))]
}
